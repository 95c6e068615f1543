//! The tree of an expression: plain data.
//!
//! It must not know how it is read or what its names stand for.

use super::lexer::Token;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The byte of the text it is blamed on: its first, or that of its operator.
    pub(super) at: usize,
    pub(super) expr: Expr,
    /// Levels beneath and with it.
    pub(super) depth: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Num(f64),
    Str(String),
    Name(String),
    /// `target.name`
    Select(Box<Node>, String),
    /// `target[key]`
    Index(Box<[Node; 2]>),
    /// `name(arguments)` or `target.name(arguments)`
    Call {
        target: Option<Box<Node>>,
        name: String,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// `condition ? then : otherwise`
    Choice(Box<[Node; 3]>),
    List(Vec<Node>),
    Map(Vec<[Node; 2]>),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    pub(super) fn of(token: &Token) -> Option<Self> {
        match token {
            Token::Name(name) if name == "in" => Some(Self::In),
            Token::Sign(sign) => Some(match *sign {
                "==" => Self::Equal,
                "!=" => Self::Unequal,
                "<" => Self::Less,
                "<=" => Self::LessEqual,
                ">" => Self::Greater,
                ">=" => Self::GreaterEqual,
                "+" => Self::Add,
                "-" => Self::Subtract,
                "*" => Self::Multiply,
                "/" => Self::Divide,
                "%" => Self::Remainder,
                _ => return None,
            }),
            _ => None,
        }
    }

    /// How tightly it binds, from 1.
    pub(super) fn tightness(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 2,
            Self::Multiply | Self::Divide | Self::Remainder => 3,
            _ => 1,
        }
    }
}
