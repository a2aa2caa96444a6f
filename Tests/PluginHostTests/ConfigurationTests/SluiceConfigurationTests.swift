import Testing
import Wire

@testable import PluginHost

@Suite struct `The operator's configuration` {
  private let folder = ScratchFolder()

  private func read(_ text: String) throws -> SluiceConfiguration {
    try SluiceConfiguration.read(file: folder.write(text, to: "sluice.json"))
  }

  /// What is said of a configuration that listens somewhere and has `members` besides.
  private func refusals(_ members: String) -> [String] {
    refusals(whole: #"{"listeners":[{"address":"127.0.0.1:8080"}],\#(members)}"#)
  }

  private func refusals(whole text: String) -> [String] {
    do {
      _ = try SluiceConfiguration.read(file: folder.write(text, to: "sluice.json"))
      return []
    } catch {
      return error.problems.map { SamplePlugins.short($0, without: folder) }
    }
  }

  @Test func `comes into force while serving as far as it can, and the rest is named`() throws {
    let address = #""listeners": [{"address": "127.0.0.1:8080"}]"#
    let now = try read("{\(address)}")
    let (same, nothing) = now.adopting(try read("{\(address)}"))
    #expect(nothing.isEmpty && same.limits == now.limits)
    let next = try read(
      """
      {"listeners": [{"address": "127.0.0.1:8081"}], "data": "elsewhere", "loops": 2,
       "log": {"level": "debug"}, "debug": {"thread_checks": true}, "drain_timeout_ms": 7,
       "trusted_proxies": ["10.0.0.0/8"], "limits": {"uri_bytes": 999, "body_bytes": 1234}, "tenants": [{"id": "demo"}]}
      """)
    let (live, waiting) = now.adopting(next)
    #expect(
      waiting == [
        "/listeners", "/data", "/loops", "/log", "/debug", "/limits/uri_bytes",
      ])
    #expect(live.listeners == now.listeners && live.loops == 0 && live.log == now.log)
    #expect(live.limits[.uriBytes] == now.limits[.uriBytes] && live.limits[.bodyBytes] == 1234)
    #expect(live.drainTimeoutMilliseconds == 7 && live.tenants.map(\.id) == ["demo"])
    #expect(live.trustedProxies == next.trustedProxies)
    #expect(
      live.settingsChanged(since: now).contains("trusted_proxies are others")
        && live.settingsChanged(since: live).isEmpty)
    #expect(now.adopting(live).waiting.isEmpty)
  }

  @Test func `is read whole`() throws {
    folder.write(#"{"id":"beta","hosts":["beta.example"]}"#, to: "tenants/b.json")
    folder.write(#"{"id":"alpha"}"#, to: "tenants/a.json")
    folder.write("not read", to: "tenants/readme.txt")
    let configuration = try read(
      """
      {
        "listeners": [{"address": "127.0.0.1:8080"}, {"address": "[::1]:0"}],
        "data": "./state",
        "loops": 3,
        "plugins": {
          "folders": ["plugins", "/opt/plugins"], "enabled": ["notes"],
          "grants": {"notes": ["sluice.store/1"]}, "tenants_grant": "platform"
        },
        "secrets": {"key_file": "key"},
        "log": {"level": "debug", "access": "logs/access.json", "format": "json"},
        "metrics": {"public": true},
        "trusted_proxies": ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"],
        "limits": {"header_bytes": 4096, "requests_per_second": 7},
        "tenants": [
          {
            "id": "demo", "hosts": ["demo.localhost"],
            "plugins": {"notes": {"enabled": false, "config": {"colour": "red"}}},
            "keys": [{
              "id": "key_1", "kind": "secret", "scopes": ["notes.*", "*"],
              "secret_sha256": "00ff\(String(repeating: "10", count: 30))"
            }],
            "secrets": {"signing": "env:HOME", "other": "plain"}
          }
        ],
        "tenant_files": ["tenants/*.json"],
        "platform_hosts": ["console.localhost"],
        "drain_timeout_ms": 10,
        "debug": {"thread_checks": true, "callback_budget_ms": 9}
      }
      """)
    #expect(configuration.listeners.map(\.description) == ["127.0.0.1:8080", "[::1]:0"])
    #expect(configuration.listeners[1].address.address == "::1")
    #expect(configuration.dataDirectory == "\(folder.path)/state")
    #expect(configuration.loops == 3)
    #expect(configuration.plugins.folders == ["\(folder.path)/plugins", "/opt/plugins"])
    #expect(configuration.plugins.enabled == ["notes"])
    #expect(configuration.plugins.grants == ["notes": [.store]])
    #expect(configuration.plugins.tenantsGrant == .platform)
    #expect(configuration.keyFile == "\(folder.path)/key")
    #expect(configuration.log.level == .debug)
    #expect(configuration.log.access == .file("\(folder.path)/logs/access.json"))
    #expect(configuration.metricsArePublic)
    #expect(
      configuration.trustedProxies.networks
        == [
          try IPNetwork("127.0.0.1"), try IPNetwork("10.0.0.0/8"), try IPNetwork("2001:db8::/32"),
        ]
    )
    #expect(configuration.limits[.headerBytes] == 4096)
    #expect(configuration.limits[.requestsPerSecond] == 7)
    #expect(configuration.limits[.uriBytes] == 8192)
    #expect(configuration.platformHosts == ["console.localhost"])
    #expect(configuration.drainTimeoutMilliseconds == 10)
    #expect(configuration.debug.threadChecks)
    #expect(configuration.debug.callbackBudgetMilliseconds == 9)
    #expect(configuration.tenants.map(\.id) == ["alpha", "beta", "demo"])
    let demo = configuration.tenants[2]
    #expect(demo.kind == .app)
    #expect(!demo.plugins[0].isEnabled)
    #expect(demo.plugins[0].config == ["colour": "red"])
    #expect(demo.keys[0].digest == [0, 255] + Array(repeating: 16, count: 30))
    #expect(demo.keys[0].scopes.map(\.text) == ["notes.*", "*"])
    #expect(demo.secrets["other"]?.resolve() == "plain")
    #expect(demo.secrets["signing"]?.resolve() != nil)
    #expect(!"\(demo)".contains("plain"))
    #expect("\(demo.secrets["signing"]!)" == "env:HOME")
  }

  @Test func `needs an address and nothing else`() throws {
    let configuration = try read(#"{"listeners":[{"address":"localhost:80"}]}"#)
    #expect(configuration.listeners[0].address.address == "127.0.0.1")
    #expect(configuration.dataDirectory == "\(folder.path)/data")
    #expect(configuration.keyFile == "\(folder.path)/data/master.key")
    #expect(configuration.loops == 0)
    #expect(configuration.log == LogSettings())
    #expect(configuration.drainTimeoutMilliseconds == 30_000)
    #expect(configuration.trustedProxies.isEmpty)
    #expect(configuration.plugins.tenantsGrant == .listed)
    for limit in Limit.all { #expect(configuration.limits[limit] == limit.standard) }
  }

  @Test func `has a form for when there is no file`() throws {
    let configuration = SluiceConfiguration.default(
      dataDirectory: "./data", listen: [try ListenAddress("127.0.0.1:8080")],
      pluginFolders: ["plugins"])
    #expect(configuration.keyFile == "./data/master.key")
    #expect(configuration.plugins.enabled == nil)
    #expect(configuration.plugins.tenantsGrant == .platform)
  }

  @Test(arguments: [
    (#""data":5"#, ["/data: must be a string, not an integer"]),
    (#""trusted_proxies":"10.0.0.1""#, ["/trusted_proxies: must be an array, not a string"]),
    (
      #""trusted_proxies":["10.0.0.0/8","proxy.example","10.0.0.1/8","::/0",7]"#,
      [
        #"/trusted_proxies/1: "proxy.example" is neither an IP address nor a network "#
          + "such as 10.0.0.0/8 or 2001:db8::/32",
        #"/trusted_proxies/2: "10.0.0.1/8" has bits set behind the first 8, so it is no network"#,
        #"/trusted_proxies/3: "::/0" is every address there is"#,
        "/trusted_proxies/4: must be a string, not an integer",
      ]
    ),
    (
      #""trusted_proxies":["10.0.0.1","10.0.0.1/32"]"#,
      ["/trusted_proxies/1: stands here twice"]
    ),
    (#""loops":-1"#, ["/loops: -1 is outside 0 to 64"]),
    (#""lisseners":[]"#, [#"/lisseners: unknown key "lisseners" (did you mean "listeners"?)"#]),
    (#""plugins":[]"#, ["/plugins: must be an object, not an array"]),
    (
      #""plugins":{"grants":{"Bad":["sluice.http/1"]}}"#,
      [#"/plugins/grants/Bad: "Bad" is not a plugin id: a-z, then up to 31 of a-z 0-9 -"#]
    ),
    (
      #""plugins":{"tenants_grant":"all"}"#,
      [#"/plugins/tenants_grant: "all" is not one of listed, platform"#]
    ),
    (
      #""log":{"level":"loud","format":"text"}"#,
      [
        #"/log/level: "loud" is not one of trace, debug, info, warning, error"#,
        #"/log/format: "text" is not one of json"#,
      ]
    ),
    (
      #""limits":{"header_bytes":5,"heder_bytes":1}"#,
      [
        "/limits/header_bytes: 5 is outside 1024 to 65535",
        #"/limits/heder_bytes: unknown key "heder_bytes" (did you mean "header_bytes"?)"#,
      ]
    ),
    (
      #""debug":{"callback_budget_ms":0}"#, ["/debug/callback_budget_ms: 0 is outside 1 to 60000"]
    ),
    (
      #""compression":{"mode":"on","level":0,"min_bytes":-1,"window_bits":8,"levle":9}"#,
      [
        #"/compression/mode: "on" is not one of off, no-context, context"#,
        "/compression/level: 0 is outside 1 to 9",
        "/compression/min_bytes: -1 is outside 0 to 65535",
        "/compression/window_bits: 8 is outside 9 to 15",
        #"/compression/levle: unknown key "levle" (did you mean "level"?)"#,
      ]
    ),
    (
      #""tenants":[{"id":"a","compression":"off"}]"#,
      ["/tenants/0/compression: must be an object, not a string"]
    ),
    (#""secrets":{"key_file":""}"#, ["/secrets/key_file: must not be empty"]),
    (#""tenant_files":["none.json"]"#, ["No such file or directory"]),
    (
      #""tenant_files":["none/*.json"]"#,
      ["/tenant_files/0: none/*.json: No such file or directory"]
    ),
    (#""tenants":[5]"#, ["/tenants/0: must be an object, not an integer"]),
    (
      #""tenants":[{"id":"a","plugins":{"x":{"config":[]}}}]"#,
      ["/tenants/0/plugins/x/config: must be an object, not an array"]
    ),
    (
      #""tenants":[{"id":"a","plugins":{"X":{}}}]"#,
      [#"/tenants/0/plugins/X: "X" is not a plugin id: a-z, then up to 31 of a-z 0-9 -"#]
    ),
    (
      #""tenants":[{"id":"a","hosts":["A.b"]}]"#,
      [#"/tenants/0/hosts/0: "A.b" is not a host name in lower case, without a port"#]
    ),
    (
      #""tenants":[{"id":"a","keys":[{"id":"k","secret_sha256":"sk_plain","kind":"secret"}]}]"#,
      [
        #"/tenants/0/keys/0/secret_sha256: must be 64 lower-case hexadecimal digits, the key's SHA-256"#
      ]
    ),
    (
      #""tenants":[{"id":"a","secrets":{"s":"env:A B"}}]"#,
      [#"/tenants/0/secrets/s: "A B" is not the name of an environment variable"#]
    ),
    (
      #""tenants":[{"id":"a"},{"id":"a"}]"#,
      [#"/tenants/1/id: tenant "a" is also given in sluice.json: /tenants/0"#]
    ),
    (
      #""tenants":[{"id":"a","hosts":["h"]},{"id":"b","hosts":["g","h"]}]"#,
      [#"/tenants/1/hosts/1: host "h" belongs to tenant "a" already"#]
    ),
    (
      #""tenants":[{"id":"a","keys":[\#(key)]},{"id":"b","keys":[\#(key)]}]"#,
      [#"/tenants/1/keys/0/secret_sha256: the same key belongs to tenant "a" already"#]
    ),
  ])
  func `is refused with a reason`(members: String, expected: [String]) {
    #expect(refusals(members) == expected)
  }

  private static let key =
    #"{"id":"k","kind":"publishable","secret_sha256":"\#(String(repeating: "a", count: 64))"}"#

  @Test(arguments: [
    ("{}", [#""listeners" is missing"#]),
    (#"{"listeners":[]}"#, ["/listeners: must name at least one address"]),
    (#"{"listeners":{}}"#, ["/listeners: must be an array, not an object"]),
    (#"{"listeners":[{}]}"#, [#"/listeners/0: "address" is missing"#]),
    (
      #"{"listeners":[{"address":"8080"}]}"#,
      [#"/listeners/0/address: "8080" has no port; write HOST:PORT"#]
    ),
    (
      #"{"listeners":[{"address":"127.0.0.1:99999"}]}"#,
      [#"/listeners/0/address: "99999" is not a port (0 to 65535)"#]
    ),
    (
      #"{"listeners":[{"address":"127.0.0.1:"}]}"#,
      [#"/listeners/0/address: "" is not a port (0 to 65535)"#]
    ),
    (
      #"{"listeners":[{"address":"::1:80"}]}"#,
      [#"/listeners/0/address: "::1" is not an IPv4 address; IPv6 is written in brackets"#]
    ),
    (
      #"{"listeners":[{"address":"[1.2.3.4]:80"}]}"#,
      [#"/listeners/0/address: "1.2.3.4" is not an IPv6 address"#]
    ),
    (
      #"{"listeners":[{"address":"127.0.0.1:80"},{"address":"localhost:80"}]}"#,
      ["/listeners/1/address: 127.0.0.1:80 stands here twice"]
    ),
    ("[]", ["must be an object, not an array"]),
  ])
  func `is refused where it does not listen`(text: String, expected: [String]) {
    #expect(refusals(whole: text) == expected)
  }

  @Test func `tells the mistakes of all its files at once`() {
    let bad = folder.write(#"{"id":"a","host":[]}"#, to: "tenants/a.json")
    let broken = folder.write("{", to: "tenants/b.json")
    #expect {
      try read(#"{"tenant_files":["tenants/*.json"],"loops":"many"}"#)
    } throws: { error in
      "\(error)" == """
        \(folder.path)/sluice.json:1:1: "listeners" is missing
        \(folder.path)/sluice.json:1:44: /loops: must be an integer, not a string
        \(bad):1:11: /host: unknown key "host" (did you mean "hosts"?)
        \(broken):1:2: string or '}' expected near end of file
        """
    }
  }

  @Test func `lists every limit once, with its answer, metric and how it changes`() {
    let rows = Limit.markdown.split(separator: "\n")
    #expect(rows.count == Limit.all.count + 2)
    #expect(Set(Limit.all.map(\.name)).count == Limit.all.count)
    #expect(
      rows[2]
        == "| `header_bytes` | the head of a request: request line and header fields | 16384 "
        + "| 1024 | 65535 | bytes | 431 headers_too_large "
        + "| `sluice_limit_breaches_total{limit=\"header_bytes\"}` | restart |")
    for limit in Limit.all { #expect(limit.range.contains(limit.standard)) }
    var limits = Limits()
    limits[.connections] = 0
    #expect(limits[.connections] == Limit.connections.range.lowerBound)
  }
}
