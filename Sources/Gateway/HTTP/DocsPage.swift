/// The readable form of `/openapi.json`: one file, no foreign script, drawn in the browser from the document.
enum DocsPage {
  static let html: StaticString = """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>API</title>
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <style>
    body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
    h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem;border-bottom:1px solid #d5dae0}
    details{border-bottom:1px solid #eceff2;padding:.4rem 0}summary{cursor:pointer}
    code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:#f5f7f9;padding:.8rem;overflow:auto}
    b.m{display:inline-block;min-width:4.2rem;font:600 12px ui-monospace,monospace}
    </style></head><body><h1>API</h1><p id="about"></p><div id="all">Loading…</div>
    <script>
    const text=(tag,value)=>{const e=document.createElement(tag);e.textContent=value;return e};
    fetch('openapi.json'+location.search).then(r=>r.json()).then(doc=>{
      document.getElementById('about').textContent=doc.info.title+' '+doc.info.version;
      const all=document.getElementById('all');all.textContent='';const groups={};
      for(const [path,item] of Object.entries(doc.paths))for(const [method,op] of Object.entries(item)){
        if(!op.responses)continue;const tag=(op.tags||['other'])[0];(groups[tag]=groups[tag]||[]).push([method,path,op])}
      for(const [tag,ops] of Object.entries(groups)){all.append(text('h2',tag));
        for(const [method,path,op] of ops){const d=document.createElement('details'),s=document.createElement('summary');
          const m=text('b',method.toUpperCase());m.className='m';s.append(m,text('code',path),' — '+(op.summary||op.operationId));
          d.append(s);if(op.description)d.append(text('p',op.description));
          d.append(text('pre',JSON.stringify({security:op.security,parameters:op.parameters,requestBody:op.requestBody,responses:op.responses},null,2)));
          all.append(d)}}
    }).catch(e=>{document.getElementById('all').textContent='The interface cannot be loaded: '+e});
    </script></body></html>

    """
}
