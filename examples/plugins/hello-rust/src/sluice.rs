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
