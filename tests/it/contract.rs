//! The contract of the command line: what each command prints about the story, to people and to
//! programs, held by snapshots; and every figure in it against what was put into the story.

mod figures;
mod papers;
mod prints;
