//! keyhaul, the program: arguments, face, exit code; nothing else.
//! keyhaul, the program: arguments, face, exit code; nothing else.

fn main() {}
