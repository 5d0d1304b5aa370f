//! Which ways to sign in a server offers (spec: client authentication). Nothing secret is sent.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    base::{cancel::Cancel, limits, shown::Shown},
    homeserver::{Client, Request, RequestError},
};

/// Most ways and providers that are named.
const NAMED: usize = 20;

/// A way to sign in that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A password, sent to the server.
    Password,
    /// A page in a browser, with the providers that can be chosen there.
    Browser {
        /// Names of the providers; none where there is only one.
        providers: Vec<Shown>,
    },
    /// Anything else, by its name.
    Other(Shown),
}

/// Asks a server which ways it offers. One that has no such list signs in through a browser only.
pub async fn flows(client: &Client, cancel: &Cancel) -> Result<Vec<Flow>, RequestError> {
    #[derive(Deserialize)]
    struct Offered {
        flows: Vec<Value>,
    }
    let request = Request::get("/_matrix/client/v3/login", &[]);
    let answer = match client.send(request, cancel).await {
        Err(RequestError::Refused { status: 404, .. }) => {
            return Ok(vec![Flow::Browser { providers: Vec::new() }]);
        }
        answer => answer?,
    };
    let offered: Offered = answer.json("ways to sign in", cancel).await?;
    let mut flows: Vec<Flow> = Vec::new();
    for flow in offered.flows.iter().take(NAMED).filter_map(read) {
        if !flows.contains(&flow) {
            flows.push(flow);
        }
    }
    Ok(flows)
}

fn read(flow: &Value) -> Option<Flow> {
    match flow.get("type")?.as_str()? {
        "m.login.password" => Some(Flow::Password),
        "m.login.sso" | "m.login.cas" => {
            let providers = flow.get("identity_providers").and_then(Value::as_array);
            let names = providers.into_iter().flatten().take(NAMED);
            let names = names.filter_map(|provider| provider.get("name")?.as_str());
            let providers = names.map(|name| Shown::limited(name, limits::DEVICE_NAME)).collect();
            Some(Flow::Browser { providers })
        }
        // What a browser ends with; nobody types it.
        "m.login.token" => None,
        other => Some(Flow::Other(Shown::limited(other, limits::DEVICE_NAME))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flows_are_named() {
        let one = |flow: Value| read(&flow);
        assert_eq!(one(json!({"type": "m.login.password"})), Some(Flow::Password));
        let named = json!({"type": "m.login.sso", "identity_providers": [{"name": "Ex\u{1b}"}, 7]});
        assert_eq!(one(named), Some(Flow::Browser { providers: vec![Shown::new("Ex␛")] }));
        let none = Some(Flow::Browser { providers: vec![] });
        assert_eq!(one(json!({"type": "m.login.sso"})), none);
        assert_eq!(one(json!({"type": "m.login.token"})), None);
        assert_eq!(one(json!({"type": 7})), None);
        assert_eq!(one(json!({"type": "x.y"})), Some(Flow::Other(Shown::new("x.y"))));
    }
}
