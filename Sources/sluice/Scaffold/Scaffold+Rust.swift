extension Scaffold {
  /// A plugin in Rust: plain cargo, no crates.
  static func rust(id: String) -> [File] {
    let crate = id.split(separator: "-").joined(separator: "_")
    return [
      File(
        path: "Cargo.toml",
        text: #"""
          [package]
          name = "\#(id)"
          version = "0.1.0"
          edition = "2021"
          publish = false

          [lib]
          crate-type = ["cdylib"]

          [profile.release]
          panic = "abort"
          lto = true

          [lints.rust]
          warnings = "deny"
          unsafe_op_in_unsafe_fn = "deny"

          """#),
      File(
        path: "src/lib.rs",
        text: #"""
          //! One route, answered at once.

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
              id: Slice::of(b"\#(id)"),
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

          """#),
      File(
        path: "src/sluice.rs",
        text: #"""
          //! The part of the plugin contract that this plugin uses, as `include/sluice/*.h` states it.
          //! Every type has the layout of its C namesake without the `sluice_` prefix.

          use core::ffi::{c_char, c_void};

          pub const ABI_MAJOR: u16 = 1;
          pub const ABI_MINOR: u16 = 0;

          pub type Status = i32;
          pub type Token = u64;

          pub const OK: Status = 0;
          pub const E_UNSUPPORTED: Status = -4;
          pub const E_DENIED: Status = -7;
          pub const E_NOT_FOUND: Status = -8;

          /// Bytes that somebody else owns; null is "absent".
          #[repr(C)]
          #[derive(Clone, Copy)]
          pub struct Slice {
              pub bytes: *const u8,
              pub length: u64,
          }

          // A slice of this plugin's own points at constants only.
          unsafe impl Sync for Slice {}

          impl Slice {
              pub const fn of(text: &'static [u8]) -> Slice {
                  Slice { bytes: text.as_ptr(), length: text.len() as u64 }
              }

              /// The bytes, valid as long as the call that brought the slice.
              ///
              /// # Safety
              /// The slice must come from the host, and the call that brought it must not have returned.
              pub unsafe fn as_bytes<'a>(self) -> &'a [u8] {
                  if self.bytes.is_null() {
                      return &[];
                  }
                  unsafe { core::slice::from_raw_parts(self.bytes, self.length as usize) }
              }
          }

          #[repr(C)]
          pub struct Host {
              pub struct_size: u32,
              pub abi_major: u16,
              pub abi_minor: u16,
              pub context: u64,
              pub loop_index: u32,
              pub loop_count: u32,
              pub host_name: Slice,
              pub host_version: Slice,
              pub plugin: Slice,
              pub tenant: Slice,
              pub get_extension: unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void,
          }

          const _: () = assert!(core::mem::size_of::<Host>() == 96);

          #[repr(C)]
          pub struct Plugin {
              pub struct_size: u32,
              pub abi_major: u16,
              pub abi_minor: u16,
              pub id: Slice,
              pub version: Slice,
              pub create: unsafe extern "C" fn(*const Host, *mut u64) -> Status,
              pub destroy: unsafe extern "C" fn(u64),
              pub open: unsafe extern "C" fn(u64, *const Host, *mut u64) -> Status,
              pub drain: Option<unsafe extern "C" fn(u64)>,
              pub close: unsafe extern "C" fn(u64),
              pub get_extension: unsafe extern "C" fn(*const c_char) -> *const c_void,
          }

          const _: () = assert!(core::mem::size_of::<Plugin>() == 88);

          /// sluice.http/1. Functions that this plugin does not call are left untyped.
          #[repr(C)]
          pub struct Http {
              pub struct_size: u32,
              pub reserved: u32,
              pub getters: [*const c_void; 9],
              pub set_header: *const c_void,
              pub respond: unsafe extern "C" fn(*const Host, Token, u32, Slice, Slice) -> Status,
              pub rest: [*const c_void; 5],
          }

          const _: () = assert!(core::mem::size_of::<Http>() == 8 + 16 * 8);

          /// sluice.http-handler/1
          #[repr(C)]
          pub struct HttpHandler {
              pub struct_size: u32,
              pub reserved: u32,
              pub resolve: unsafe extern "C" fn(Slice, *mut u32) -> Status,
              pub handle: unsafe extern "C" fn(u64, u32, Token) -> Status,
              pub cancelled: Option<unsafe extern "C" fn(u64, u32, Token)>,
          }

          const _: () = assert!(core::mem::size_of::<HttpHandler>() == 32);

          """#),
      File(
        path: "Makefile",
        text: #"""
          # Builds lib\#(id).so into OUT, which becomes a plugin folder: library and manifest.
          OUT ?= build/\#(id)
          CARGO ?= cargo

          .PHONY: all clean
          all: $(OUT)/lib\#(id).so $(OUT)/plugin.json

          $(OUT)/lib\#(id).so: Cargo.toml src/lib.rs src/sluice.rs | $(OUT)
          	$(CARGO) build --release --offline --target-dir build/target
          	cp build/target/release/lib\#(crate).so $@

          $(OUT)/plugin.json: plugin.json | $(OUT)
          	cp $< $@

          $(OUT):
          	mkdir -p $@

          clean:
          	rm -rf build

          """#),
      File(
        path: "README.md",
        text: #"""
          # \#(id)

          `GET /hello/\#(id)` says hello.

              make                                        # build/\#(id): the library and the manifest
              sluice plugin validate build/\#(id)
              sluice serve --plugins build

          `src/sluice.rs` is the part of the contract that this plugin uses. The whole of it is `include/sluice/` of Sluice's source tree:
          add there what you need from `include/sluice/ext/*.h`, field by field.

          """#),
    ]
  }
}
