//! The tests: one binary, modules by subject.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod assistant;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod check_up;
#[cfg(test)]
mod comparing;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod entry_cases;
#[cfg(test)]
mod escapes;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod history;
#[cfg(test)]
mod homeserver;
#[cfg(test)]
mod key_files;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod naming;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod passphrase_list;
#[cfg(test)]
mod program;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recovery_key;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod restore_on_synapse;
#[cfg(test)]
mod rooms_file;
#[cfg(test)]
mod scanner;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod several_keys;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod store;
#[cfg(test)]
mod stretching;
#[cfg(test)]
mod synapse;
#[cfg(test)]
mod unlocking;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod watched;
