//! Holds the JSON Schema for definitions, which editors complete by, to what is read here: it has the
//! same keys, and takes every example.

use serde_json::{Map, Value, json};

use super::{KEYS, dialect, field, lookup, options, rules};
use crate::language::{Resolved, Tree, parse};
use crate::types::FieldType;

const SCHEMA: &str = include_str!("../../../../../docs/definition.schema.json");
const PAGE: &str = include_str!("../../../../../docs/definitions.md");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// A document as JSON; nothing where it is no YAML.
fn as_json(text: &str) -> Value {
    fn value(tree: &Tree) -> Value {
        match tree {
            Tree::Sequence(items) => items.iter().map(|node| value(&node.value)).collect(),
            Tree::Mapping(entries) => {
                let mut map = Map::new();
                for (key, node) in entries {
                    let Tree::Scalar(key) = &key.value else {
                        continue;
                    };
                    map.insert(key.text.clone(), value(&node.value));
                }
                Value::Object(map)
            }
            Tree::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => Value::Null,
                Resolved::Bool(truth) => json!(truth),
                Resolved::Int(int) => json!(i64::try_from(int).unwrap_or(i64::MAX)),
                Resolved::Float(float) => json!(float),
                Resolved::Text(text) => json!(text),
            },
            Tree::Refused => Value::Null,
        }
    }
    parse(text).0.map_or(Value::Null, |root| value(&root.value))
}

/// What of a value does not fit a schema, first of all. Knows the words that ours uses.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    for (word, arg) in schema.as_object().unwrap() {
        let fits = match word.as_str() {
            "$ref" => {
                let name = arg.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                return misfit(root, &root["$defs"][name], value);
            }
            "type" => match arg {
                Value::Array(types) => types.iter().any(|one| is_type(one, value)),
                one => is_type(one, value),
            },
            "enum" => arg.as_array().unwrap().contains(value),
            "const" => arg == value,
            "anyOf" => {
                let any = arg.as_array().unwrap();
                any.iter().any(|one| misfit(root, one, value).is_none())
            }
            "required" => {
                let names = arg.as_array().unwrap().iter();
                let mut names = names.map(|name| name.as_str().unwrap());
                names.all(|name| value.get(name).is_some())
            }
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= arg.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 <= arg.as_u64().unwrap()),
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= arg.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= arg.as_f64().unwrap()),
            "items" => {
                let mut items = value.as_array().into_iter().flatten();
                if let Some(why) = items.find_map(|item| misfit(root, arg, item)) {
                    return Some(why);
                }
                true
            }
            "additionalProperties" => {
                let none = Map::new();
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, item) in value.as_object().into_iter().flatten() {
                    let why = match (known.unwrap_or(&none).get(key), arg) {
                        (None, Value::Bool(_)) => Some(format!("the key {key}")),
                        (Some(schema), _) | (None, schema) => misfit(root, schema, item),
                    };
                    if why.is_some() {
                        return why;
                    }
                }
                true
            }
            "properties" => schema.get("additionalProperties").is_some(),
            "$schema" | "$defs" | "title" | "description" | "default" => true,
            other => panic!("the schema says {other}, which is not looked at"),
        };
        if !fits {
            return Some(format!("{value} is not {word}: {arg}"));
        }
    }
    None
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}

fn keys(schema: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn sorted<const N: usize>(mut keys: [&'static str; N]) -> Vec<&'static str> {
    keys.sort_unstable();
    keys.to_vec()
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = schema();
    assert_eq!(keys(&schema), sorted(KEYS));
    assert_eq!(keys(&schema["$defs"]["field"]), sorted(field::KEYS));
    assert_eq!(keys(&schema["$defs"]["items"]), sorted(options::ITEM_KEYS));
    assert_eq!(keys(&schema["$defs"]["rule"]), sorted(rules::RULE_KEYS));
    assert_eq!(keys(&schema["$defs"]["lookup"]), sorted(lookup::KEYS));
    let check = &schema["$defs"]["check"]["anyOf"][1];
    assert_eq!(keys(check), sorted(rules::CHECK_KEYS));
    assert_eq!(
        keys(&schema["properties"]["dialect"]),
        sorted(dialect::KEYS)
    );
    let types = schema["$defs"]["type"]["enum"].as_array().unwrap().iter();
    let mut types: Vec<&str> = types.map(|kind| kind.as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, sorted(FieldType::ALL.map(FieldType::as_str)));
}

/// What is a definition, is one for the schema too.
#[test]
fn the_schema_takes_every_good_definition() {
    let schema = schema();
    let mut good = 0;
    let blocks = PAGE.split("```yaml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut texts: Vec<String> = blocks.map(str::to_owned).collect();
    texts.push("{}".to_owned());
    let mut examples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(super::definition(&text).is_ok(), "{text}");
            texts.push(text);
            examples += 1;
        }
    }
    assert!(examples >= 3, "{examples}");
    for text in &texts {
        if super::definition(text).is_ok() {
            let why = misfit(&schema, &schema, &as_json(text));
            assert_eq!(why, None, "{text}");
            good += 1;
        }
    }
    assert!(good > 30, "{good}");
}

#[test]
fn the_schema_refuses_what_is_no_definition() {
    let schema = schema();
    for bad in [
        "nme: x",
        "fields: []",
        "fields: [{ type: string }]",
        "fields: [{ name: a, type: text }]",
        "fields: [{ name: a, requird: true }]",
        "fields: [{ name: a, transforms: [trimm] }]",
        "fields: [{ name: a, transforms: [{ pad_left: { with: x } }] }]",
        "fields: [{ name: a, type: array, items: { typ: integer } }]",
        "fields: [{ name: a, check: [] }]",
        "fields: [{ name: a, check: [{ message: no }] }]",
        "rules: [{ when: 'true' }]",
        "rules: [{ check: 'true', severity: fatal }]",
        "duplicates_of: [customers]",
        "duplicates_of: [{ table: customers }]",
        "duplicates_of: [{ table: customers, key: [email] }]",
        "ragged: maybe",
        "max_workers: 0",
        "dialect: { delimeter: x }",
        "destination: { table: x }",
        "[]",
    ] {
        assert!(misfit(&schema, &schema, &as_json(bad)).is_some(), "{bad}");
    }
}
