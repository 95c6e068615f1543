//! Words that tell something: cells that stand for no value or for true and false, and names of columns
//! that say what is in them.
//!
//! They are evidence beside the cells, never against them. This file must not know types.

/// Cells that programs and people write where there is no value.
pub(super) const NULLS: [&str; 27] = [
    "\\N", "NULL", "(null)", "<null>", "#N/A", "#NV", "null", "Null", "N/A", "n/a", "NaN", "nan",
    "None", "nil", "NA", "na", "none", "-", "--", "---", "?", ".", "–", "—", "k.A.", "k. A.",
    "n.a.",
];

/// Those of [`NULLS`], from the front, that are never meant as text: programs write them. `Null` is a
/// surname.
pub(super) const NULLS_OF_PROGRAMS: usize = 6;

/// Those of [`NULLS`], from the front, that are no value of a set of words either. The others may be:
/// `NA` is a country.
pub(super) const NULLS_FOR_CERTAIN: usize = 11;

/// Days that databases write where there is none.
pub(super) const NULL_DAYS: [&str; 3] = ["0000-00-00", "0000-00-00 00:00:00", "00.00.0000"];

/// A word for true, one for false, and whether one of them alone is clear.
const TRUTHS: [(&str, &str, bool); 13] = [
    ("true", "false", true),
    ("yes", "no", true),
    ("ja", "nein", true),
    ("wahr", "falsch", true),
    ("vrai", "faux", true),
    ("verdadero", "falso", true),
    ("oui", "non", false),
    ("sí", "no", false),
    ("si", "no", false),
    ("y", "n", false),
    ("j", "n", false),
    ("t", "f", false),
    ("on", "off", false),
];

/// The pair that a column's values are of, in any case: the words for true and for false.
pub(super) fn truth<'v>(
    values: &(impl Iterator<Item = &'v str> + Clone),
) -> Option<(&'static str, &'static str)> {
    for (yes, no, clear_alone) in TRUTHS {
        let is = |value: &str, word: &str| value.to_lowercase() == word;
        let all = values.clone().all(|value| is(value, yes) || is(value, no));
        let has_yes = values.clone().any(|value| is(value, yes));
        let has_no = values.clone().any(|value| is(value, no));
        // "no" alone may be the short form of "number".
        let is_clear = has_yes && (has_no || clear_alone) || has_no && clear_alone && no != "no";
        if all && is_clear {
            return Some((yes, no));
        }
    }
    None
}

/// What the name of a column says about its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// A key: no two rows have the same.
    Key,
    /// Digits that nobody counts with.
    Code,
    /// A telephone number.
    Phone,
    /// A day or a moment.
    Time,
    /// Seconds or milliseconds since 1970.
    Unix,
    /// Money, which is exact.
    Money,
    /// True or false.
    Flag,
    /// Several items in one cell.
    List,
    /// Names of people and places: however few there are, there may be others.
    Open,
}

const HINTS: [(Hint, &[&str]); 9] = [
    (
        Hint::Key,
        &[
            "id", "uuid", "guid", "key", "email", "mail", "sku", "ean", "gtin", "isbn", "iban",
            "nr", "number", "nummer", "username", "login", "slug", "matnr", "artnr", "belegnr",
            "kundennr", "code",
        ],
    ),
    (
        Hint::Code,
        &[
            "zip",
            "zipcode",
            "plz",
            "postcode",
            "postal",
            "postleitzahl",
            "cp",
            "cap",
            "ean",
            "gtin",
            "upc",
            "isbn",
            "issn",
            "iban",
            "blz",
            "bic",
            "konto",
            "kontonummer",
            "account",
            "card",
            "ssn",
            "vat",
            "tax",
            "steuernummer",
            "siret",
            "siren",
            "barcode",
            "imei",
            "msisdn",
        ],
    ),
    (
        Hint::Phone,
        &[
            "phone",
            "tel",
            "telephone",
            "telefon",
            "téléphone",
            "mobile",
            "mobil",
            "handy",
            "fax",
            "cell",
            "rufnummer",
            "msisdn",
        ],
    ),
    (
        Hint::Time,
        &[
            "date",
            "datum",
            "day",
            "tag",
            "fecha",
            "data",
            "jour",
            "time",
            "zeit",
            "created",
            "updated",
            "modified",
            "birthday",
            "dob",
            "geburtsdatum",
            "geburtstag",
            "valid",
            "due",
            "since",
            "at",
            "on",
            "from",
            "until",
            "start",
            "end",
            "beginn",
            "ende",
        ],
    ),
    (
        Hint::Unix,
        &[
            "timestamp",
            "time",
            "ts",
            "epoch",
            "unix",
            "unixtime",
            "at",
            "created",
            "updated",
            "modified",
        ],
    ),
    (
        Hint::Money,
        &[
            "price", "preis", "prix", "precio", "amount", "betrag", "montant", "importe", "total",
            "sum", "summe", "cost", "kosten", "netto", "brutto", "net", "gross", "tax", "vat",
            "mwst", "ust", "saldo", "balance", "umsatz", "revenue", "salary", "gehalt", "fee",
            "eur", "usd", "chf", "gbp",
        ],
    ),
    (
        Hint::Flag,
        &[
            "is",
            "has",
            "flag",
            "active",
            "aktiv",
            "enabled",
            "disabled",
            "deleted",
            "gelöscht",
            "paid",
            "bezahlt",
            "verified",
            "confirmed",
            "subscribed",
            "newsletter",
            "optin",
            "admin",
            "visible",
        ],
    ),
    (
        Hint::List,
        &[
            "tags",
            "categories",
            "labels",
            "keywords",
            "roles",
            "groups",
            "skills",
            "topics",
            "genres",
            "schlagworte",
            "kategorien",
        ],
    ),
    (
        Hint::Open,
        &[
            "name",
            "firstname",
            "lastname",
            "surname",
            "vorname",
            "nachname",
            "nom",
            "prenom",
            "nombre",
            "city",
            "ort",
            "stadt",
            "town",
            "street",
            "strasse",
            "straße",
            "address",
            "company",
            "firma",
            "title",
            "titel",
            "text",
            "notes",
            "note",
            "comment",
            "kommentar",
            "bemerkung",
            "description",
            "beschreibung",
            "verwendungszweck",
            "author",
        ],
    ),
];

/// Whether a name says so: one of its words does, where a capital letter begins a word too.
pub(super) fn says(name: &str, hint: Hint) -> bool {
    let Some((_, known)) = HINTS.iter().find(|(of, _)| *of == hint) else {
        return false;
    };
    let words = split(name);
    let whole: String = words.concat();
    known
        .iter()
        .any(|word| *word == whole || words.iter().any(|one| one == word))
}

/// `orderDate`, `order_date` and `Order Date` are two words each.
fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_small = false;
    let mut is_open = false;
    for character in name.chars().take(200) {
        if !character.is_alphanumeric() {
            is_open = false;
            was_small = false;
            continue;
        }
        if !is_open || (was_small && character.is_uppercase()) {
            words.push(String::new());
            is_open = true;
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
        was_small = character.is_lowercase() || character.is_numeric();
    }
    words
}

/// Whether the last digit is the check digit of a GTIN: EAN-8, UPC-A, EAN-13, GTIN-14
/// (<https://www.gs1.org/services/how-calculate-check-digit-manually>).
pub(super) fn is_gtin(digits: &[u8]) -> bool {
    if !matches!(digits.len(), 8 | 12 | 13 | 14) || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut sum = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let weight = if place % 2 == 1 { 3 } else { 1 };
        sum += u32::from(digit - b'0') * weight;
    }
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_words() {
        for (name, hint, expected) in [
            ("user_id", Hint::Key, true),
            ("userId", Hint::Key, true),
            ("Kunden-Nr.", Hint::Key, true),
            ("valid", Hint::Key, false),
            ("isActive", Hint::Flag, true),
            ("island", Hint::Flag, false),
            ("E-Mail", Hint::Key, true),
            ("First Name", Hint::Open, true),
            ("Total (EUR)", Hint::Money, true),
            ("", Hint::Key, false),
        ] {
            assert_eq!(says(name, hint), expected, "{name}");
        }
    }

    #[test]
    fn truth_needs_clear_words() {
        let truth = |values: &[&'static str]| truth(&values.iter().copied());
        assert_eq!(truth(&["TRUE", "false"]), Some(("true", "false")));
        assert_eq!(truth(&["yes"]), Some(("yes", "no")));
        assert_eq!(truth(&["no"]), None);
        assert_eq!(truth(&["Y", "n"]), Some(("y", "n")));
        assert_eq!(truth(&["y"]), None);
        assert_eq!(truth(&["Ja", "Nein", "ja"]), Some(("ja", "nein")));
        assert_eq!(truth(&["yes", "maybe"]), None);
        assert_eq!(truth(&[]), None);
    }

    #[test]
    fn check_digits() {
        for good in ["4006381333931", "96385074", "036000291452"] {
            assert!(is_gtin(good.as_bytes()), "{good}");
        }
        for bad in ["4006381333932", "1234", "", "40063813339ab"] {
            assert!(!is_gtin(bad.as_bytes()), "{bad}");
        }
    }
}
