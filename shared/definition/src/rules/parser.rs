//! The grammar of CEL, which makes the words of an expression a tree.
//!
//! The tree is as deep as it may be and no deeper, so that nothing that walks it can run out of
//! stack. This file must not know which names and functions there are.

use super::lexer::{Flaw, Placed, Token, tokens};
use super::tree::{Binary, Expr, Node};

/// The longest expression, in bytes.
pub(super) const TEXT_MAX: usize = 4096;
/// The deepest a tree may be. Chains of `&&` and of `||` count as one level.
pub(super) const DEPTH_MAX: usize = 64;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Node, Flaw> {
    if text.len() > TEXT_MAX {
        let message = format!(
            "the expression is {} bytes long, more than the {TEXT_MAX} allowed",
            text.len()
        );
        return Err(Flaw::at(0, message));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        position: 0,
        end: text.trim_end().len(),
        level: 0,
    };
    if parser.tokens.is_empty() {
        return Err(Flaw::at(0, "the expression is empty"));
    }
    let node = parser.expression()?;
    match parser.tokens.get(parser.position) {
        None => Ok(node),
        Some(placed) => Err(unexpected_after_value(placed)),
    }
}

/// A word stands where the expression could have ended.
fn unexpected_after_value(placed: &Placed) -> Flaw {
    let message = match &placed.token {
        Token::Name(name) => match name.to_ascii_lowercase().as_str() {
            "and" => "write && for \"and\"".to_owned(),
            "or" => "write || for \"or\"".to_owned(),
            "is" => "write == null, or == and a value, for \"is\"".to_owned(),
            "not" => "write ! before what is not to be, in brackets: !(a in b)".to_owned(),
            "matches" | "contains" | "like" | "between" => {
                format!(
                    "{name} is no operator; functions are called with brackets: a.matches(\"…\")"
                )
            }
            _ => format!("expected an operator before {}", described(&placed.token)),
        },
        Token::Sign(")" | "]" | "}") => {
            format!("{} closes nothing", described(&placed.token))
        }
        token => format!("expected an operator before {}", described(token)),
    };
    Flaw::at(placed.at, message)
}

fn described(token: &Token) -> String {
    match token {
        Token::Name(name) => crate::show::shown(name),
        Token::Int(_) | Token::IntMin | Token::Num(_) => "this number".to_owned(),
        Token::Str(_) => "this text".to_owned(),
        Token::Sign(sign) => (*sign).to_owned(),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    position: usize,
    /// The byte behind the last word.
    end: usize,
    /// How deep the grammar is in itself.
    level: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position).map(|placed| &placed.token)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.position)
            .map_or(self.end, |placed| placed.at)
    }

    fn take(&mut self) -> Option<Placed> {
        let placed = self.tokens.get(self.position).cloned()?;
        self.position += 1;
        Some(placed)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.position += usize::from(found);
        found
    }

    /// Takes the sign that closes what was opened at `open`.
    fn close(&mut self, sign: &'static str, open: usize) -> Result<(), Flaw> {
        if self.take_sign(sign) {
            return Ok(());
        }
        let message = match self.peek() {
            None => format!("expected {sign} before the end of the expression"),
            Some(token) => format!("expected {sign} or an operator before {}", described(token)),
        };
        let at = if self.peek().is_none() {
            open
        } else {
            self.at()
        };
        Err(Flaw::at(at, message))
    }

    /// Runs a part of the grammar one level further in.
    fn deeper(&mut self, part: fn(&mut Self) -> Result<Node, Flaw>) -> Result<Node, Flaw> {
        if self.level == DEPTH_MAX {
            return Err(too_deep(self.at()));
        }
        self.level += 1;
        let node = part(self);
        self.level -= 1;
        node
    }

    fn expression(&mut self) -> Result<Node, Flaw> {
        self.deeper(Self::choice)
    }

    fn choice(&mut self) -> Result<Node, Flaw> {
        let condition = self.any()?;
        let at = self.at();
        if !self.take_sign("?") {
            return Ok(condition);
        }
        let then = self.any()?;
        if !self.take_sign(":") {
            let message = "expected : and the value for when the condition does not hold";
            return Err(Flaw::at(self.at(), message));
        }
        let otherwise = self.expression()?;
        let branches = Box::new([condition, then, otherwise]);
        let depth = branches.iter().map(|node| node.depth).max();
        node(at, depth.unwrap_or(0), Expr::Choice(branches))
    }

    fn any(&mut self) -> Result<Node, Flaw> {
        self.chain("||", Self::all, Expr::Or)
    }

    fn all(&mut self) -> Result<Node, Flaw> {
        self.chain("&&", |parser| parser.binary(1), Expr::And)
    }

    fn chain(
        &mut self,
        sign: &str,
        part: fn(&mut Self) -> Result<Node, Flaw>,
        joined: fn(Vec<Node>) -> Expr,
    ) -> Result<Node, Flaw> {
        let first = part(self)?;
        let at = self.at();
        let mut parts = vec![first];
        while self.take_sign(sign) {
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return parts.pop().ok_or_else(|| too_deep(at));
        }
        let depth = parts.iter().map(|node| node.depth).max();
        node(at, depth.unwrap_or(0), joined(parts))
    }

    /// Operators that bind at least as tightly; those alike from left to right.
    fn binary(&mut self, tightness: u8) -> Result<Node, Flaw> {
        let mut left = self.unary()?;
        loop {
            let operator = self.peek().and_then(Binary::of);
            let Some(operator) = operator.filter(|found| found.tightness() >= tightness) else {
                return Ok(left);
            };
            let at = self.at();
            self.position += 1;
            let right = self.binary(operator.tightness() + 1)?;
            let depth = left.depth.max(right.depth);
            let sides = Box::new([left, right]);
            left = node(at, depth, Expr::Binary(operator, sides))?;
        }
    }

    fn unary(&mut self) -> Result<Node, Flaw> {
        let at = self.at();
        if self.take_sign("!") {
            let inner = self.deeper(Self::unary)?;
            return node(at, inner.depth, Expr::Not(Box::new(inner)));
        }
        if !self.take_sign("-") {
            return self.member();
        }
        if self.peek() == Some(&Token::IntMin) {
            self.position += 1;
            return node(at, 0, Expr::Int(i64::MIN));
        }
        let inner = self.deeper(Self::unary)?;
        let expr = match inner.expr {
            Expr::Int(int) if int != i64::MIN => Expr::Int(-int),
            Expr::Num(number) => Expr::Num(-number),
            _ => return node(at, inner.depth, Expr::Negative(Box::new(inner))),
        };
        node(at, 0, expr)
    }

    /// A value and what is selected from it, called on it or looked up in it.
    fn member(&mut self) -> Result<Node, Flaw> {
        let mut value = self.primary()?;
        loop {
            let at = self.at();
            if self.take_sign(".") {
                let name_at = self.at();
                let Some(Token::Name(name)) = self.take().map(|placed| placed.token) else {
                    return Err(Flaw::at(name_at, "expected a name behind the ."));
                };
                if self.take_sign("(") {
                    let arguments = self.list(")", name_at)?;
                    value = call(name_at, Some(value), name, arguments)?;
                } else {
                    let depth = value.depth;
                    value = node(name_at, depth, Expr::Select(Box::new(value), name))?;
                }
            } else if self.take_sign("[") {
                let key = self.expression()?;
                self.close("]", at)?;
                let depth = value.depth.max(key.depth);
                value = node(at, depth, Expr::Index(Box::new([value, key])))?;
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<Node, Flaw> {
        let Some(placed) = self.take() else {
            return Err(Flaw::at(
                self.end,
                "the expression ends where a value is expected",
            ));
        };
        let at = placed.at;
        let expr = match placed.token {
            Token::Int(int) => Expr::Int(int),
            Token::IntMin => {
                return Err(Flaw::at(
                    at,
                    "the number is too large for a whole number (64 bits)",
                ));
            }
            Token::Num(number) => Expr::Num(number),
            Token::Str(text) => Expr::Str(text),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.close(")", at)?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let items = self.list("]", at)?;
                let depth = items.iter().map(|node| node.depth).max();
                return node(at, depth.unwrap_or(0), Expr::List(items));
            }
            Token::Sign("{") => return self.map(at),
            Token::Name(name) => match name.as_str() {
                "true" => Expr::Bool(true),
                "false" => Expr::Bool(false),
                "null" => Expr::Null,
                "in" => return Err(Flaw::at(at, "expected a value before in")),
                "not" | "NOT" if self.begins_value() => {
                    return Err(Flaw::at(at, "write ! for \"not\""));
                }
                _ if self.take_sign("(") => {
                    let arguments = self.list(")", at)?;
                    return call(at, None, name, arguments);
                }
                _ => Expr::Name(name),
            },
            token @ Token::Sign(_) => {
                let message = format!("expected a value before {}", described(&token));
                return Err(Flaw::at(at, message));
            }
        };
        node(at, 0, expr)
    }

    /// Whether the next word can only begin another value.
    fn begins_value(&self) -> bool {
        match self.peek() {
            Some(Token::Name(name)) => name != "in",
            Some(Token::Sign(_)) | None => false,
            Some(_) => true,
        }
    }

    /// Expressions between commas, up to the sign that closes them.
    fn list(&mut self, close: &'static str, open: usize) -> Result<Vec<Node>, Flaw> {
        let mut items = Vec::new();
        while !self.take_sign(close) {
            items.push(self.expression()?);
            if !self.take_sign(",") {
                self.close(close, open)?;
                break;
            }
        }
        Ok(items)
    }

    fn map(&mut self, at: usize) -> Result<Node, Flaw> {
        let mut entries = Vec::new();
        let mut depth = 0;
        while !self.take_sign("}") {
            let key = self.expression()?;
            if !self.take_sign(":") {
                return Err(Flaw::at(
                    self.at(),
                    "expected : between a key and its value",
                ));
            }
            let value = self.expression()?;
            depth = depth.max(key.depth).max(value.depth);
            entries.push([key, value]);
            if !self.take_sign(",") {
                self.close("}", at)?;
                break;
            }
        }
        node(at, depth, Expr::Map(entries))
    }
}

fn node(at: usize, depth_beneath: usize, expr: Expr) -> Result<Node, Flaw> {
    let depth = depth_beneath + 1;
    if depth > DEPTH_MAX {
        return Err(too_deep(at));
    }
    Ok(Node { at, expr, depth })
}

fn call(at: usize, target: Option<Node>, name: String, arguments: Vec<Node>) -> Result<Node, Flaw> {
    let deepest = arguments.iter().chain(&target).map(|node| node.depth).max();
    let target = target.map(Box::new);
    let expr = Expr::Call {
        target,
        name,
        arguments,
    };
    node(at, deepest.unwrap_or(0), expr)
}

fn too_deep(at: usize) -> Flaw {
    Flaw::at(
        at,
        format!("the expression is nested more than {DEPTH_MAX} levels deep"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with every bracket written.
    fn shape(node: &Node) -> String {
        let all = |nodes: &[Node]| nodes.iter().map(shape).collect::<Vec<_>>().join(" ");
        match &node.expr {
            Expr::Null => "null".into(),
            Expr::Bool(truth) => truth.to_string(),
            Expr::Int(int) => int.to_string(),
            Expr::Num(number) => format!("{number:?}"),
            Expr::Str(text) => format!("{text:?}"),
            Expr::Name(name) => name.clone(),
            Expr::Select(target, name) => format!("{}.{name}", shape(target)),
            Expr::Index(pair) => format!("{}[{}]", shape(&pair[0]), shape(&pair[1])),
            Expr::Call {
                target,
                name,
                arguments,
            } => {
                let target = target.as_ref().map_or(String::new(), |t| shape(t) + ".");
                format!("{target}{name}({})", all(arguments))
            }
            Expr::Not(inner) => format!("!{}", shape(inner)),
            Expr::Negative(inner) => format!("-{}", shape(inner)),
            Expr::Binary(operator, pair) => {
                format!(
                    "({} {} {})",
                    shape(&pair[0]),
                    operator.as_str(),
                    shape(&pair[1])
                )
            }
            Expr::And(parts) => format!("and({})", all(parts)),
            Expr::Or(parts) => format!("or({})", all(parts)),
            Expr::Choice(parts) => format!("if({})", all(&parts[..])),
            Expr::List(items) => format!("[{}]", all(items)),
            Expr::Map(entries) => {
                let entries = entries.iter().map(|entry| all(entry));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn read(text: &str) -> String {
        parse(text).map_or_else(|flaw| panic!("{text}: {flaw:?}"), |node| shape(&node))
    }

    fn flaw(text: &str) -> String {
        let flaw = parse(text).expect_err(text);
        format!("{}: {}", flaw.at, flaw.message)
    }

    #[test]
    fn operators_bind_as_in_cel() {
        for (text, expected) in [
            ("a + b * c - d", "((a + (b * c)) - d)"),
            ("a && b || c && d", "or(and(a b) and(c d))"),
            ("a == b + 1 && c", "and((a == (b + 1)) c)"),
            ("!a.b[0] == -c", "(!a.b[0] == -c)"),
            ("a ? b : c ? d : e", "if(a b if(c d e))"),
            ("x in [1, 2,] && y", "and((x in [1 2]) y)"),
            ("- 5 + -9223372036854775808", "(-5 + -9223372036854775808)"),
            ("--5", "5"),
            ("-x.size()", "-x.size()"),
            (
                "row[\"start date\"].getDate()",
                "row[\"start date\"].getDate()",
            ),
            ("{\"a\": 1, \"b\": [2]}", "{\"a\" 1, \"b\" [2]}"),
            ("l.all(x, x > 0)", "l.all(x (x > 0))"),
            ("(a)", "a"),
            ("a < b == c", "((a < b) == c)"),
            ("inner + into", "(inner + into)"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn faults_say_where_and_what_to_write() {
        for (text, expected) in [
            ("", "0: the expression is empty"),
            ("  // nothing", "0: the expression is empty"),
            ("a >", "3: the expression ends where a value is expected"),
            ("a > > b", "4: expected a value before >"),
            ("a b", "2: expected an operator before \"b\""),
            ("a and b", "2: write && for \"and\""),
            ("not a", "0: write ! for \"not\""),
            (
                "a not in b",
                "2: write ! before what is not to be, in brackets: !(a in b)",
            ),
            ("(a", "0: expected ) before the end of the expression"),
            ("f(a b)", "4: expected ) or an operator before \"b\""),
            ("a)", "1: ) closes nothing"),
            (
                "a ? b",
                "5: expected : and the value for when the condition does not hold",
            ),
            ("a.", "2: expected a name behind the ."),
            ("{1, 2}", "2: expected : between a key and its value"),
            ("a 'b'", "2: expected an operator before this text"),
        ] {
            assert_eq!(flaw(text), expected, "{text}");
        }
    }

    /// Whatever is repeated as often as the length allows, the tree stays shallow or is refused.
    #[test]
    fn nothing_nests_without_end() {
        for (before, after) in [
            ("(", ")"),
            ("[", "]"),
            ("!", ""),
            ("-", ""),
            ("-(", ")"),
            ("f(", ")"),
            ("a[", "]"),
            ("a?b:", ""),
            ("a.b(", ")"),
            ("{1:", "}"),
            ("a+", ""),
            ("a==", ""),
            ("a*b+", ""),
            ("a-", ""),
        ] {
            let text = |times| before.repeat(times) + "x" + &after.repeat(times);
            let deep = text(DEPTH_MAX * 2);
            assert!(flaw(&deep).contains("nested more than"), "{deep}");
            assert!(flaw(&text(2000)).contains("more than"), "{before}");
        }
        for tail in [".b", "[0]", ".f()"] {
            let text = "a".to_owned() + &tail.repeat(DEPTH_MAX + 1);
            assert!(flaw(&text).contains("nested more than"), "{text}");
        }
        let chain = "a && ".repeat(400) + "b";
        assert!(parse(&chain).is_ok());
        assert!(flaw(&"a".repeat(TEXT_MAX + 1)).contains("more than the 4096 allowed"));
    }
}
