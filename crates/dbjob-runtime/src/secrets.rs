//! What no event, error or record may show.

use dbjob_plan::{Event, Op, Outside, Plan, RunError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const HIDDEN: &str = "***";

/// So short a text is found everywhere, and is no secret.
const SHORTEST: usize = 4;

/// The values of a plan's secrets on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Of the environment of this process; one that is not set hides nothing.
    pub fn of(plan: &Plan) -> Self {
        let mut named: Vec<&Outside> = Vec::new();
        for node in plan.graph.node_weights() {
            match &node.op {
                Op::Read(source) => named.extend(&source.outside),
                Op::Deploy(dbjob_plan::Target::Service(service)) => named.extend(service.outside.values()),
                _ => {}
            }
        }
        let values = named.into_iter().filter(|o| o.secret).filter_map(|o| std::env::var(&o.name).ok());
        let mut all: Vec<String> = values.flat_map(|value| [password(&value), Some(value)]).flatten().collect();
        all.retain(|secret| secret.len() >= SHORTEST);
        // What holds another goes first.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all.dedup();
        Self(all)
    }

    pub fn event(&self, event: Event) -> Event {
        if self.0.is_empty() { event } else { self.hidden(event) }
    }

    pub fn error(&self, error: RunError) -> RunError {
        if self.0.is_empty() {
            return error;
        }
        let span = error.span;
        RunError { span, ..self.hidden(error) }
    }

    fn hidden<T: Serialize + DeserializeOwned>(&self, told: T) -> T {
        let Ok(mut value) = serde_json::to_value(&told) else { return told };
        if !self.hide(&mut value) {
            return told;
        }
        serde_json::from_value(value).expect("only texts are changed")
    }

    /// Whether something was hidden.
    fn hide(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let before = text.len();
                let mut found = false;
                for secret in &self.0 {
                    if text.contains(secret.as_str()) {
                        *text = text.replace(secret.as_str(), HIDDEN);
                        found = true;
                    }
                }
                debug_assert!(found || text.len() == before);
                found
            }
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.hide(item) || found),
            Value::Object(fields) => fields.values_mut().fold(false, |found, field| self.hide(field) || found),
            _ => false,
        }
    }
}

/// The password in a URL: `postgres://user:password@host`.
fn password(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let secrets = Secrets(vec!["postgres://me:hunter2@db/shop".into(), "hunter2".into()]);
        let event = Event::Warning { item: "a".into(), message: "postgres://me:hunter2@db/shop said hunter2".into() };
        let Event::Warning { message, .. } = secrets.event(event) else { panic!("another event") };
        assert_eq!(message, "*** said ***");
        let error = secrets.error(RunError::new("E0730", "no hunter2").help("not hunter2"));
        assert_eq!((error.message.as_str(), error.help.as_deref()), ("no ***", Some("not ***")));
    }

    #[test]
    fn the_password_of_a_url_is_a_secret_of_its_own() {
        assert_eq!(password("mysql://root:p%40ss@localhost:3306/x").as_deref(), Some("p%40ss"));
        assert_eq!(password("postgres://localhost/x"), None);
    }
}
