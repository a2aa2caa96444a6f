//! The smallest plugin in Rust: one route, answered at once.

mod sluice;

use core::ffi::{c_char, c_void, CStr};
use core::mem::size_of;
use sluice::*;

const HELLO: u32 = 0;

/// All that a shard needs: the host's table and the one extension that it uses.
struct Shard {
    host: *const Host,
    http: *const Http,
}

unsafe extern "C" fn resolve(name: Slice, handler: *mut u32) -> Status {
    if unsafe { name.as_bytes() } != b"hello" {
        return E_NOT_FOUND;
    }
    unsafe { *handler = HELLO };
    OK
}

unsafe extern "C" fn handle(shard: u64, handler: u32, request: Token) -> Status {
    if handler != HELLO {
        return E_UNSUPPORTED;
    }
    let shard = unsafe { &*(shard as *const Shard) };
    let respond = unsafe { (*shard.http).respond };
    let body = Slice::of(b"{\"message\":\"hello, world\"}");
    unsafe { respond(shard.host, request, 200, Slice::of(b"application/json"), body) }
}

unsafe extern "C" fn create(_host: *const Host, instance: *mut u64) -> Status {
    unsafe { *instance = 1 };
    OK
}

unsafe extern "C" fn destroy(_instance: u64) {}

unsafe extern "C" fn open(_instance: u64, host: *const Host, shard: *mut u64) -> Status {
    let http = unsafe { ((*host).get_extension)(host, c"sluice.http/1".as_ptr()) } as *const Http;
    if http.is_null() {
        return E_DENIED;
    }
    unsafe { *shard = Box::into_raw(Box::new(Shard { host, http })) as u64 };
    OK
}

unsafe extern "C" fn close(shard: u64) {
    drop(unsafe { Box::from_raw(shard as *mut Shard) });
}

static HTTP_HANDLER: HttpHandler = HttpHandler {
    struct_size: size_of::<HttpHandler>() as u32,
    reserved: 0,
    resolve,
    handle,
    cancelled: None,
};

unsafe extern "C" fn get_extension(id: *const c_char) -> *const c_void {
    match unsafe { CStr::from_ptr(id) }.to_bytes() {
        b"sluice.http-handler/1" => &raw const HTTP_HANDLER as *const c_void,
        _ => core::ptr::null(),
    }
}

static PLUGIN: Plugin = Plugin {
    struct_size: size_of::<Plugin>() as u32,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    id: Slice::of(b"hello-rust"),
    version: Slice::of(b"0.1.0"),
    create,
    destroy,
    open,
    drain: None,
    close,
    get_extension,
};

#[no_mangle]
pub extern "C" fn sluice_plugin_entry_v1() -> *const Plugin {
    &PLUGIN
}
