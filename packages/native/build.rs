//! Tells the linker that Node resolves the functions of Node-API.

fn main() {
    napi_build::setup();
}
