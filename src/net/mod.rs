//! What carries bytes: clients, credentials, discovery, clocks. Sources read through it and effects act
//! through it; nothing in here knows what a pod, a rate or a step is.
//!
//! | module | what it is |
//! |---|---|
//! | [`connect`], [`kubeconfig`] | from a kubeconfig to a reading and a writing client of each context |
//! | [`client`], [`stack`], [`proxy`], [`credential`] | the client that follows its kubeconfig and renews tokens |
//! | [`http`] | questions to servers that answer in JSON, at an address or through the API server |
//! | [`resolver`], [`discovery`] | where a server is: as the settings say, else what the cluster has |
//! | [`failure`] | why something cannot be read |
//! | [`timing`], [`backoff`] | every period and deadline of what is asked again and again; the wait after a failure |
//! | [`query`] | percent-encoding |
//! | [`process`] | a program that was started, and how all of it is ended |
//! | [`clock`] | the only reader of the wall clock |

pub mod backoff;
pub mod client;
pub mod clock;
pub mod connect;
mod connect_error;
pub mod credential;
pub mod discovery;
pub mod failure;
pub mod http;
mod kubeconfig;
pub mod process;
mod proxy;
pub mod query;
pub mod resolver;
pub mod stack;
pub mod timing;

pub use connect_error::ConnectError;
