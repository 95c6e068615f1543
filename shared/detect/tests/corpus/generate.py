"""Writes the files of own/, each with what an expert would read in it.

The expectations are written down here by hand, never taken from what the code says. Run it again after
adding a case; the files are committed, so tests need no Python.
"""
import json
import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "own")
SEEN = set()
# What may be anything: nothing in the file tells, or nobody minds.
ANY = object()


def case(name, about, data, cols, rows, n=None, enc="utf-8", write=None, delim=",", quote='"', escape='"',
         le="\n", header=True, pre=0, trim=False, comment=None):
    """One file. `rows` are its first records, `n` how many there are, footers included."""
    assert name not in SEEN, name
    SEEN.add(name)
    if isinstance(data, str):
        data = data.encode(write or enc)
    with open(os.path.join(HERE, name + ".csv"), "wb") as f:
        f.write(data)
    if quote is ANY and escape == '"':
        escape = ANY
    if quote is None and escape == '"':
        escape = None
    if quote == "'" and escape == '"':
        escape = "'"
    expected = {
        "about": about, "encoding": enc, "delimiter": delim, "quote": quote, "escape": escape,
        "comment": comment, "line_end": le, "trim": trim, "header": header, "preamble_rows": pre,
        "columns": cols, "records": len(rows) if n is None else n, "first": rows if rows is ANY else rows[:3],
    }
    expected = {key: value for key, value in expected.items() if value is not ANY}
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(expected, f, ensure_ascii=False, indent=1)
        f.write("\n")


def numbered(n):
    return ["column_%d" % i for i in range(1, n + 1)]


# ---- spreadsheets -------------------------------------------------------------------------------
case("excel_en", "Excel, English Windows", "Name,Amount,Date\r\nAnn,\"1,234.50\",1/31/2024\r\nBob,7.00,2/1/2024\r\nCy,12.10,2/2/2024\r\n",
     ["Name", "Amount", "Date"], [["Ann", "1,234.50", "1/31/2024"], ["Bob", "7.00", "2/1/2024"], ["Cy", "12.10", "2/2/2024"]], le="\r\n")
case("excel_de", "Excel, German Windows: semicolons, decimal commas, windows-1252",
     "Name;Straße;Betrag\r\nMüller;Königsallee 5;1.234,50\r\nWeiß;Mühlenweg 7;7,00\r\nJäger;Schloßplatz 1;12,10\r\n",
     ["Name", "Straße", "Betrag"], [["Müller", "Königsallee 5", "1.234,50"], ["Weiß", "Mühlenweg 7", "7,00"], ["Jäger", "Schloßplatz 1", "12,10"]],
     enc="windows-1252", delim=";", le="\r\n")
case("excel_fr", "Excel, French Windows: thousands parted by no-break spaces",
     "Référence;Libellé;Montant\r\nA1;Café crème;1\u00a0234,50\r\nB2;Pâté de lièvre;12,00\r\nC3;Thé à la menthe;3,20\r\n",
     ["Référence", "Libellé", "Montant"], [["A1", "Café crème", "1\u00a0234,50"], ["B2", "Pâté de lièvre", "12,00"], ["C3", "Thé à la menthe", "3,20"]],
     enc="windows-1252", delim=";", le="\r\n")
case("excel_utf8_bom", "Excel's CSV UTF-8", "\ufeffStadt;Einwohner\r\nKöln;1085664\r\nZürich;421878\r\n",
     ["Stadt", "Einwohner"], [["Köln", "1085664"], ["Zürich", "421878"]], delim=";", le="\r\n")
case("excel_unicode_text", "Excel's Unicode text: UTF-16 LE with a mark, tabs",
     "\ufeffName\tOrt\tBetrag\r\nŁukasz\tŁódź\t12,5\r\nÉva\tGyőr\t7\r\n".encode("utf-16-le"),
     ["Name", "Ort", "Betrag"], [["Łukasz", "Łódź", "12,5"], ["Éva", "Győr", "7"]], enc="utf-16le", delim="\t", le="\r\n")
case("excel_sep_semicolon", "Excel's own hint of the delimiter", "sep=;\r\nid;text\r\n1;a,b,c\r\n2;d,e,f\r\n",
     ["id", "text"], [["1", "a,b,c"], ["2", "d,e,f"]], delim=";", le="\r\n", pre=1)
case("excel_sep_pipe_bom", "The hint after a byte order mark", "\ufeffSEP=|\r\nid|text\r\n1|a;b\r\n2|c;d\r\n",
     ["id", "text"], [["1", "a;b"], ["2", "c;d"]], delim="|", le="\r\n", pre=1)
case("excel_padded_title", "A title above the table, with the delimiters of all columns",
     "Sales report 2024,,,\r\n,,,\r\nRegion,Product,Units,Revenue\r\nNorth,Bolt,12,120.50\r\nSouth,Nut,7,14.00\r\nWest,Gear,3,99.95\r\nTotal,,22,234.45\r\n",
     ["Region", "Product", "Units", "Revenue"], [["North", "Bolt", "12", "120.50"], ["South", "Nut", "7", "14.00"], ["West", "Gear", "3", "99.95"]], n=4, le="\r\n", pre=2)
case("excel_trailing_delimiters", "Columns that were cleared, not deleted", "id,name,,\r\n1,Ann,,\r\n2,Bob,,\r\n3,Cy,,\r\n",
     ["id", "name", "", ""], [["1", "Ann", "", ""], ["2", "Bob", "", ""], ["3", "Cy", "", ""]], le="\r\n")
case("excel_multiline", "Line breaks within cells", "id,address,city\r\n1,\"1 Main St\nFlat 2\",Leeds\r\n2,\"3 High St\n\nRear\",York\r\n3,Plain,Hull\r\n",
     ["id", "address", "city"], [["1", "1 Main St\nFlat 2", "Leeds"], ["2", "3 High St\n\nRear", "York"], ["3", "Plain", "Hull"]], le="\r\n")
case("excel_mac_roman", "Excel on an old Mac: MacRoman and carriage returns",
     "Name;Straße;Größe\rMüller;Königsallee;groß\rJäger;Mühlenweg;klein\rWeiß;Schloßstraße;groß\r",
     ["Name", "Straße", "Größe"], [["Müller", "Königsallee", "groß"], ["Jäger", "Mühlenweg", "klein"], ["Weiß", "Schloßstraße", "groß"]],
     enc="macintosh", write="mac_roman", delim=";", le="\r")
case("libreoffice_all_quoted", "LibreOffice with every text cell in quotes", "\"id\",\"name\",\"note\"\n1,\"Ann\",\"likes \"\"cats\"\"\"\n2,\"Bob\",\"a, b; c\"\n3,\"Cy\",\"\"\n",
     ["id", "name", "note"], [["1", "Ann", "likes \"cats\""], ["2", "Bob", "a, b; c"], ["3", "Cy", ""]])
case("libreoffice_tab", "LibreOffice with tabs", "sku\tprice\tqty\nA-1\t1.50\t3\nB-2\t2.25\t10\nC-3\t9.99\t1\n",
     ["sku", "price", "qty"], [["A-1", "1.50", "3"], ["B-2", "2.25", "10"], ["C-3", "9.99", "1"]], delim="\t")
case("libreoffice_apostrophe", "Apostrophes as quotes", "'id';'name';'note'\n'1';'Ann';'a;b'\n'2';'Bob';'it''s'\n'3';'Cy';'plain'\n",
     ["id", "name", "note"], [["1", "Ann", "a;b"], ["2", "Bob", "it's"], ["3", "Cy", "plain"]], delim=";", quote="'")
case("google_sheets", "Google Sheets: no line end at the end", "Timestamp,Email Address,Rating\r\n1/31/2024 9:15:02,ann@example.com,5\r\n2/1/2024 18:20:44,bob@example.org,4",
     ["Timestamp", "Email Address", "Rating"], [["1/31/2024 9:15:02", "ann@example.com", "5"], ["2/1/2024 18:20:44", "bob@example.org", "4"]], le="\r\n")
case("google_forms_long", "A form's questions as names, which are long and have commas",
     "Timestamp,\"How often do you shop, on average?\",\"Which do you like: red, green, or blue?\"\n2024/01/31 9:15:02 AM GMT+1,Weekly,\"Red, Blue\"\n2024/02/01 6:20:44 PM GMT+1,Daily,Green\n",
     ["Timestamp", "How often do you shop, on average?", "Which do you like: red, green, or blue?"],
     [["2024/01/31 9:15:02 AM GMT+1", "Weekly", "Red, Blue"], ["2024/02/01 6:20:44 PM GMT+1", "Daily", "Green"]])
case("numbers_apple", "A title line above, as Apple Numbers exports it", "Table 1\nItem,Cost\nPaper,3.20\nPens,5.10\nInk,22.00\n",
     ["Item", "Cost"], [["Paper", "3.20"], ["Pens", "5.10"], ["Ink", "22.00"]], pre=1)

# ---- SAP and other large systems ----------------------------------------------------------------
case("sap_list", "An SAP list saved as text: drawn lines, pipes at both ends, padding",
     "--------------------------------------\n| Matnr   | Bezeichnung  |    Menge |\n--------------------------------------\n| 100-100 | Schraube M4  |  1.250,00|\n| 100-200 | Mutter M4    |    300,00|\n| 100-300 | Scheibe      |     12,50|\n--------------------------------------\n",
     ["", "Matnr", "Bezeichnung", "Menge", ""], [["", "100-100", "Schraube M4", "1.250,00", ""], ["", "100-200", "Mutter M4", "300,00", ""], ["", "100-300", "Scheibe", "12,50", ""]],
     delim="|", pre=1, trim=True, comment="-")
case("sap_alv_preamble", "An SAP export with its date and report above", 
     "31.01.2024                     Dynamische Listenausgabe                        1\n\n|Werk|Material  |    Bestand|\n|1000|A-100     |      12,00|\n|1000|A-200     |       0,00|\n|2000|B-100     |   1.000,00|\n",
     ["", "Werk", "Material", "Bestand", ""], [["", "1000", "A-100", "12,00", ""], ["", "1000", "A-200", "0,00", ""], ["", "2000", "B-100", "1.000,00", ""]],
     delim="|", pre=2, trim=True)
case("sap_trailing_minus", "Negative amounts with the sign behind", "BELNR;BUDAT;DMBTR\n4711;31.01.2024;120,50-\n4712;01.02.2024;99,00\n4713;02.02.2024;1.000,00-\n",
     ["BELNR", "BUDAT", "DMBTR"], [["4711", "31.01.2024", "120,50-"], ["4712", "01.02.2024", "99,00"], ["4713", "02.02.2024", "1.000,00-"]], delim=";")
case("mainframe_cr", "Carriage returns alone", "CUST,NAME,BAL\r0001,SMITH,100.00\r0002,JONES,250.75\r0003,BROWN,0.00\r",
     ["CUST", "NAME", "BAL"], [["0001", "SMITH", "100.00"], ["0002", "JONES", "250.75"], ["0003", "BROWN", "0.00"]], le="\r")
case("mainframe_padded", "Fields filled up with spaces to fixed lengths", "CUSTNO  |NAME            |CITY      \n00000001|SMITH JOHN      |LEEDS     \n00000002|JONES MARY      |YORK      \n00000003|BROWN ANNE      |HULL      \n",
     ["CUSTNO", "NAME", "CITY"], [["00000001", "SMITH JOHN", "LEEDS"], ["00000002", "JONES MARY", "YORK"], ["00000003", "BROWN ANNE", "HULL"]], delim="|", trim=True)
case("mainframe_trailer", "A trailer record with a count", "ACCT|DATE|AMT\n1001|20240131|15.00\n1002|20240131|22.10\n1003|20240131|7.77\nTRAILER|3\n",
     ["ACCT", "DATE", "AMT"], [["1001", "20240131", "15.00"], ["1002", "20240131", "22.10"], ["1003", "20240131", "7.77"]], n=4, delim="|")
case("unit_separator", "The ASCII unit separator", "id\x1fname\x1fnote\n1\x1fAnn\x1fa, b; c\n2\x1fBob\x1fx|y\n3\x1fCy\x1fz\n",
     ["id", "name", "note"], [["1", "Ann", "a, b; c"], ["2", "Bob", "x|y"], ["3", "Cy", "z"]], delim="\x1f")
case("hive_ctrl_a", "Hive's own delimiter, without a header", "1\x01Ann\x0131.5\n2\x01Bob\x0127.0\n3\x01Cy\x0119.2\n",
     numbered(3), [["1", "Ann", "31.5"], ["2", "Bob", "27.0"], ["3", "Cy", "19.2"]], delim="\x01", header=False)
case("edi_tilde", "Tildes", "PO~LINE~ITEM~QTY\n1001~1~AB-1~5\n1001~2~CD-2~7\n1002~1~EF-3~1\n",
     ["PO", "LINE", "ITEM", "QTY"], [["1001", "1", "AB-1", "5"], ["1001", "2", "CD-2", "7"], ["1002", "1", "EF-3", "1"]], delim="~")
case("caret", "Carets", "id^first name^last name\n1^Ann^Lee\n2^Bob^Ray\n3^Cy^Young\n",
     ["id", "first name", "last name"], [["1", "Ann", "Lee"], ["2", "Bob", "Ray"], ["3", "Cy", "Young"]], delim="^")
case("passwd_colon", "Colons, no header, as in /etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nann:x:1000:1000:Ann Lee,,,:/home/ann:/bin/zsh\n",
     numbered(7), [["root", "x", "0", "0", "root", "/root", "/bin/bash"], ["daemon", "x", "1", "1", "daemon", "/usr/sbin", "/usr/sbin/nologin"], ["ann", "x", "1000", "1000", "Ann Lee,,,", "/home/ann", "/bin/zsh"]],
     delim=":", header=False)
case("space_delimited", "Single spaces", "time temp hum\n0 21.5 40\n60 21.7 41\n120 21.9 41\n180 22.0 42\n",
     ["time", "temp", "hum"], [["0", "21.5", "40"], ["60", "21.7", "41"], ["120", "21.9", "41"]], n=4, delim=" ")
case("star_delimiter", "A rare delimiter", "id*name*city\n1*Ann*Leeds\n2*Bob*York\n3*Cy*Hull\n",
     ["id", "name", "city"], [["1", "Ann", "Leeds"], ["2", "Bob", "York"], ["3", "Cy", "Hull"]], delim="*")

# ---- banks --------------------------------------------------------------------------------------
case("bank_de_preamble", "A German bank: account and period above, windows-1252, decimal commas",
     "\"Kontonummer:\";\"DE00 1234 5678\";\r\n\r\n\"Von:\";\"01.01.2024\";\r\n\"Bis:\";\"31.01.2024\";\r\n\"Kontostand vom 31.01.2024:\";\"1.234,56 EUR\";\r\n\r\n\"Buchungstag\";\"Wertstellung\";\"Buchungstext\";\"Auftraggeber / Begünstigter\";\"Verwendungszweck\";\"Betrag (EUR)\";\r\n\"31.01.2024\";\"31.01.2024\";\"Lastschrift\";\"Stadtwerke Köln\";\"Abschlag Januar\";\"-85,00\";\r\n\"30.01.2024\";\"30.01.2024\";\"Gutschrift\";\"Müller GmbH\";\"Gehalt; Januar\";\"2.500,00\";\r\n",
     ["Buchungstag", "Wertstellung", "Buchungstext", "Auftraggeber / Begünstigter", "Verwendungszweck", "Betrag (EUR)", ""],
     [["31.01.2024", "31.01.2024", "Lastschrift", "Stadtwerke Köln", "Abschlag Januar", "-85,00", ""], ["30.01.2024", "30.01.2024", "Gutschrift", "Müller GmbH", "Gehalt; Januar", "2.500,00", ""]],
     enc="windows-1252", delim=";", le="\r\n", pre=6)
case("bank_de_saldo", "Opening and closing balances round the table",
     "Umsätze Girokonto;;;\nAlter Kontostand;;;100,00\n\nDatum;Text;Betrag;Saldo\n02.01.2024;Miete;-650,00;-550,00\n03.01.2024;Gehalt;2.000,00;1.450,00\n05.01.2024;Bäckerei;-4,50;1.445,50\nNeuer Kontostand;;;1.445,50\n",
     ["Datum", "Text", "Betrag", "Saldo"], [["02.01.2024", "Miete", "-650,00", "-550,00"], ["03.01.2024", "Gehalt", "2.000,00", "1.450,00"], ["05.01.2024", "Bäckerei", "-4,50", "1.445,50"]],
     n=4, delim=";", pre=3)
case("bank_uk", "A British bank: space behind the comma in names, currency signs",
     "Date, Type, Description, Value, Balance\n31/01/2024,POS,\"'3074 30JAN24 , TESCO\",-12.50,1000.00\n01/02/2024,D/D,\"COUNCIL TAX\",-120.00,880.00\n02/02/2024,BAC,SALARY,2000.00,2880.00\n",
     ["Date", " Type", " Description", " Value", " Balance"], [["31/01/2024", "POS", "'3074 30JAN24 , TESCO", "-12.50", "1000.00"], ["01/02/2024", "D/D", "COUNCIL TAX", "-120.00", "880.00"], ["02/02/2024", "BAC", "SALARY", "2000.00", "2880.00"]])
case("bank_fr", "A French bank: latin-1, title lines, euro sign of ISO-8859-15",
     "Compte courant n° 123\nSolde au 31/01/2024 : 1 200,00 €\n\nDate;Libellé;Débit €;Crédit €\n31/01/2024;Prélèvement électricité;-45,10;\n30/01/2024;Virement reçu;;1 500,00\n29/01/2024;Café;-2,50;\n",
     ["Date", "Libellé", "Débit €", "Crédit €"], [["31/01/2024", "Prélèvement électricité", "-45,10", ""], ["30/01/2024", "Virement reçu", "", "1 500,00"], ["29/01/2024", "Café", "-2,50", ""]],
     enc="iso-8859-15", delim=";", pre=3)
case("bank_us_metadata", "Names and values above the table, parted by a comma too",
     "Account Name,Checking\nAccount Number,000123\nDate Range,01/01/2024-01/31/2024\n\nDate,Description,Amount,Running Bal.\n01/02/2024,PAYROLL,1500.00,1600.00\n01/03/2024,\"RENT, JAN\",-900.00,700.00\n01/05/2024,COFFEE,-4.50,695.50\n",
     ["Date", "Description", "Amount", "Running Bal."], [["01/02/2024", "PAYROLL", "1500.00", "1600.00"], ["01/03/2024", "RENT, JAN", "-900.00", "700.00"], ["01/05/2024", "COFFEE", "-4.50", "695.50"]], pre=4)
case("bank_euro_1252", "Euro signs in windows-1252", "Posten;Preis\nBrötchen;0,80 €\nKäse;3,50 €\nMüsli;2,99 €\n",
     ["Posten", "Preis"], [["Brötchen", "0,80 €"], ["Käse", "3,50 €"], ["Müsli", "2,99 €"]], enc="windows-1252", delim=";")
case("paypal_like", "Quoted all over, with a byte order mark", "\ufeff\"Date\",\"Time\",\"Name\",\"Gross\"\r\n\"31.01.2024\",\"10:15:00\",\"Ann Lee\",\"-12,50\"\r\n\"01.02.2024\",\"11:00:59\",\"Bob & Co\",\"1.000,00\"\r\n",
     ["Date", "Time", "Name", "Gross"], [["31.01.2024", "10:15:00", "Ann Lee", "-12,50"], ["01.02.2024", "11:00:59", "Bob & Co", "1.000,00"]], le="\r\n")
case("datev", "DATEV: a line of metadata with other columns above the header",
     "\"EXTF\";700;21;\"Buchungsstapel\";9;20240131;;\"RE\"\nUmsatz;Soll/Haben-Kennzeichen;Konto;Gegenkonto;Belegdatum\n119,00;\"S\";10000;8400;3101\n59,50;\"H\";1200;10000;3101\n238,00;\"S\";10001;8400;3101\n",
     ["Umsatz", "Soll/Haben-Kennzeichen", "Konto", "Gegenkonto", "Belegdatum"], [["119,00", "S", "10000", "8400", "3101"], ["59,50", "H", "1200", "10000", "3101"], ["238,00", "S", "10001", "8400", "3101"]],
     delim=";", pre=1)

# ---- databases ----------------------------------------------------------------------------------
case("mysql_backslash", "MySQL with quotes and backslashes", "\"id\",\"name\",\"quote\"\n\"1\",\"Ann\",\"She said \\\"hi\\\", twice\"\n\"2\",\"Bob\",\"a \\\\ b\"\n\"3\",\"Cy\",\"plain\"\n",
     ["id", "name", "quote"], [["1", "Ann", "She said \"hi\", twice"], ["2", "Bob", "a \\ b"], ["3", "Cy", "plain"]], escape="\\")
case("mysql_outfile", "MySQL's INTO OUTFILE: tabs and NULL as \\N, which stays as it is", "1\tAnn\t\\N\t2024-01-31\n2\tBob\tx\t2024-02-01\n3\tCy\t\\N\t2024-02-02\n",
     numbered(4), [["1", "Ann", "\\N", "2024-01-31"], ["2", "Bob", "x", "2024-02-01"], ["3", "Cy", "\\N", "2024-02-02"]], delim="\t", header=False)
case("mysql_escaped_tab", "A tab within a cell, behind a backslash", "id\tname\tnote\n1\tAnn\tone\\\ttwo\n2\tBob\tthree\n3\tCy\tfour\\\tfive\n4\tDi\tsix\n",
     ["id", "name", "note"], [["1", "Ann", "one\ttwo"], ["2", "Bob", "three"], ["3", "Cy", "four\tfive"]], n=4, delim="\t", escape="\\")
case("mysql_box", "The box that the mysql client draws", "+----+------+-------+\n| id | name | price |\n+----+------+-------+\n|  1 | Ann  |  9.50 |\n|  2 | Bob  | 12.00 |\n|  3 | Cy   |  0.75 |\n+----+------+-------+\n",
     ["", "id", "name", "price", ""], [["", "1", "Ann", "9.50", ""], ["", "2", "Bob", "12.00", ""], ["", "3", "Cy", "0.75", ""]], delim="|", pre=1, trim=True, comment="+")
case("postgres_csv", "PostgreSQL's COPY as CSV: t and f, empty for NULL", "id,active,created_at,payload\n1,t,2024-01-31 10:00:00+00,\"{\"\"a\"\": 1, \"\"b\"\": [1,2]}\"\n2,f,2024-02-01 11:30:00+00,\n3,t,2024-02-02 12:00:00+00,\"{}\"\n",
     ["id", "active", "created_at", "payload"], [["1", "t", "2024-01-31 10:00:00+00", "{\"a\": 1, \"b\": [1,2]}"], ["2", "f", "2024-02-01 11:30:00+00", ""], ["3", "t", "2024-02-02 12:00:00+00", "{}"]])
case("psql_footer", "psql unaligned, with its count of rows", "id|name|city\n1|Ann|Leeds\n2|Bob|York\n3|Cy|Hull\n(3 rows)\n",
     ["id", "name", "city"], [["1", "Ann", "Leeds"], ["2", "Bob", "York"], ["3", "Cy", "Hull"]], n=4, delim="|")
case("oracle_upper", "Oracle: upper case, two-digit dates with names of months", "EMPNO,ENAME,HIREDATE,SAL\n7369,SMITH,17-DEC-80,800\n7499,ALLEN,20-FEB-81,1600\n7521,WARD,22-FEB-81,1250\n",
     ["EMPNO", "ENAME", "HIREDATE", "SAL"], [["7369", "SMITH", "17-DEC-80", "800"], ["7499", "ALLEN", "20-FEB-81", "1600"], ["7521", "WARD", "22-FEB-81", "1250"]])
case("mssql_utf16_nobom", "SQL Server's bcp -w: UTF-16 LE without a mark", "id\tname\tcity\r\n1\tZoë\tLeeds\r\n2\tBob\tYork\r\n3\tCy\tHull\r\n".encode("utf-16-le"),
     ["id", "name", "city"], [["1", "Zoë", "Leeds"], ["2", "Bob", "York"], ["3", "Cy", "Hull"]], enc="utf-16le", delim="\t", le="\r\n")
case("r_write_table", "R's write.table: the header has one name less, since rows have names", "\"height\" \"weight\"\n\"1\" 58 115\n\"2\" 59 117\n\"3\" 60 120\n",
     ["height", "weight"], [["1", "58", "115"], ["2", "59", "117"], ["3", "60", "120"]], delim=" ")
case("pandas_index", "pandas with its index: the first name is empty", ",name,score\n0,Ann,0.5\n1,Bob,0.75\n2,Cy,1.0\n",
     ["", "name", "score"], [["0", "Ann", "0.5"], ["1", "Bob", "0.75"], ["2", "Cy", "1.0"]])
case("ids_uuid", "UUIDs and ISO times", "id,created,amount\n123e4567-e89b-12d3-a456-426614174000,2024-01-31T10:00:00Z,10\n123e4567-e89b-12d3-a456-426614174001,2024-01-31T10:00:01Z,20\n",
     ["id", "created", "amount"], [["123e4567-e89b-12d3-a456-426614174000", "2024-01-31T10:00:00Z", "10"], ["123e4567-e89b-12d3-a456-426614174001", "2024-01-31T10:00:01Z", "20"]])

# ---- encodings ----------------------------------------------------------------------------------
JA = [["1", "山田太郎", "東京都千代田区"], ["2", "鈴木花子", "大阪市北区梅田"], ["3", "佐藤一郎", "札幌市中央区"]]
JH = ["番号", "氏名", "住所"]


def plain(head, rows, delim=",", le="\n"):
    return le.join(delim.join(row) for row in [head] + rows) + le


case("japanese_shift_jis", "Shift_JIS", plain(JH, JA, le="\r\n"), JH, JA, enc="shift_jis", le="\r\n")
case("japanese_euc", "EUC-JP", plain(JH, JA), JH, JA, enc="euc-jp")
case("japanese_iso2022", "ISO-2022-JP", plain(JH, JA), JH, JA, enc="iso-2022-jp")
case("japanese_utf16be", "UTF-16 BE with a mark", ("\ufeff" + plain(JH, JA)).encode("utf-16-be"), JH, JA, enc="utf-16be")
case("japanese_utf16be_nobom", "UTF-16 BE without a mark, few zeros", plain(JH, JA).encode("utf-16-be"), JH, JA, enc="utf-16be")
ZH = [["1", "张伟", "北京市朝阳区", "12.5"], ["2", "王芳", "上海市浦东新区", "7.0"], ["3", "李娜", "广州市天河区", "99.9"]]
ZHH = ["编号", "姓名", "地址", "价格"]
case("chinese_gbk", "GBK", plain(ZHH, ZH), ZHH, ZH, enc="gbk")
TW = [["1", "陳怡君", "臺北市信義區"], ["2", "林志明", "高雄市左營區"], ["3", "黃淑芬", "臺中市西屯區"]]
TWH = ["編號", "姓名", "地址"]
case("chinese_big5", "Big5", plain(TWH, TW), TWH, TW, enc="big5")
KO = [["1", "김철수", "서울특별시 강남구"], ["2", "이영희", "부산광역시 해운대구"], ["3", "박민수", "대구광역시 수성구"]]
KOH = ["번호", "이름", "주소"]
case("korean_euc_kr", "EUC-KR", plain(KOH, KO), KOH, KO, enc="euc-kr")
RU = [["1", "Иванов Пётр", "Москва", "1 200,50"], ["2", "Сидорова Анна", "Казань", "99,00"], ["3", "Кузнецов Олег", "Омск", "7,25"]]
RUH = ["Номер", "Имя", "Город", "Сумма"]
case("russian_1251", "windows-1251", plain(RUH, RU, ";", "\r\n"), RUH, RU, enc="windows-1251", delim=";", le="\r\n")
case("russian_koi8", "KOI8-R", plain(RUH, RU, ";"), RUH, RU, enc="koi8-r", write="koi8-r", delim=";")
case("russian_dos", "Code page 866", plain(RUH, RU, ";", "\r\n"), RUH, RU, enc="ibm866", write="cp866", delim=";", le="\r\n")
PL = [["1", "Łukasz Żółć", "Łódź"], ["2", "Małgorzata Wiśniewska", "Kraków"], ["3", "Józef Śliwiński", "Gdańsk"]]
PLH = ["nr", "imię i nazwisko", "miasto"]
case("polish_1250", "windows-1250", plain(PLH, PL, ";", "\r\n"), PLH, PL, enc="windows-1250", delim=";", le="\r\n")
case("polish_latin2", "ISO-8859-2", plain(PLH, PL, ";"), PLH, PL, enc="iso-8859-2", delim=";")
GR = [["1", "Γιώργος Παπαδόπουλος", "Αθήνα"], ["2", "Μαρία Νικολάου", "Θεσσαλονίκη"], ["3", "Ελένη Δημητρίου", "Πάτρα"]]
GRH = ["αριθμός", "όνομα", "πόλη"]
case("greek_1253", "windows-1253 or ISO-8859-7, which agree on all letters here but one", plain(GRH, GR, ";"), GRH, GR, enc="windows-1253", delim=";")
TR = [["1", "Ayşe Yılmaz", "İstanbul"], ["2", "Mehmet Çağlar", "Eskişehir"], ["3", "Gülşen Öztürk", "Muğla"]]
TRH = ["no", "ad soyad", "şehir"]
case("turkish_1254", "windows-1254", plain(TRH, TR, ";"), TRH, TR, enc="windows-1254", delim=";")
HE = [["1", "דוד כהן", "תל אביב"], ["2", "שרה לוי", "ירושלים"], ["3", "משה פרץ", "חיפה"]]
HEH = ["מספר", "שם", "עיר"]
case("hebrew_1255", "windows-1255", plain(HEH, HE), HEH, HE, enc="windows-1255")
AR = [["1", "محمد علي", "القاهرة"], ["2", "فاطمة حسن", "بغداد"], ["3", "أحمد سعيد", "الرياض"]]
ARH = ["رقم", "الاسم", "المدينة"]
case("arabic_1256", "windows-1256", plain(ARH, AR), ARH, AR, enc="windows-1256")
case("french_latin1_one_word", "One accent in the whole file", "id,city\n1,Besan\xe7on\n2,Paris\n3,Lyon\n".encode("latin-1"),
     ["id", "city"], [["1", "Besançon"], ["2", "Paris"], ["3", "Lyon"]], enc="windows-1252")
case("spanish_1252", "windows-1252, Spanish", plain(["código", "descripción", "año"], [["1", "Niño pequeño", "2023"], ["2", "Camión", "2024"], ["3", "Jamón ibérico", "2022"]], ";"),
     ["código", "descripción", "año"], [["1", "Niño pequeño", "2023"], ["2", "Camión", "2024"], ["3", "Jamón ibérico", "2022"]], enc="windows-1252", delim=";")
case("curly_quotes_1252", "windows-1252 with curly quotes and dashes", "id,text\n1,\u201cHello\u201d \u2013 she said\n2,It\u2019s fine\n3,Don\u2019t\u2026\n",
     ["id", "text"], [["1", "\u201cHello\u201d \u2013 she said"], ["2", "It\u2019s fine"], ["3", "Don\u2019t\u2026"]], enc="windows-1252")
case("utf8_with_wrong_bytes", "UTF-8 with a row of latin-1 glued in; the row stays, to be rejected",
     plain(["id", "città"], [["1", "Forlì"], ["2", "Cantù"], ["3", "Nardò"], ["4", "Patù"]]).encode() + b"5,Mor\xe0\n",
     ["id", "città"], [["1", "Forlì"], ["2", "Cantù"], ["3", "Nardò"]], n=5)
case("utf8_emoji", "Characters of four bytes", "id,mood\n1,😀\n2,👍🏽\n3,🦀\n", ["id", "mood"], [["1", "😀"], ["2", "👍🏽"], ["3", "🦀"]])
case("bom_in_the_middle", "Two files glued together, each with a mark", "\ufeffid,name\n1,Ann\n\ufeff2,Bob\n3,Cy\n",
     ["id", "name"], [["1", "Ann"], ["\ufeff2", "Bob"], ["3", "Cy"]])
case("mojibake", "UTF-8 that was read as latin-1 and saved as UTF-8: wrong, but so it is", "id,name\n1,ZoÃ«\n2,MÃ¼ller\n3,Ann\n",
     ["id", "name"], [["1", "ZoÃ«"], ["2", "MÃ¼ller"], ["3", "Ann"]])

# ---- quotes -------------------------------------------------------------------------------------
case("quotes_in_the_middle", "Inches: quotes that are data", "item,size\nBoard,5\" x 7\"\nPipe,3/4\"\nScreen,27\" wide\n",
     ["item", "size"], [["Board", "5\" x 7\""], ["Pipe", "3/4\""], ["Screen", "27\" wide"]])
case("quotes_begin_text", "Tabs without quoting: titles that begin with quotes", "id\ttitle\tyear\n1\t\"Heroes\" live\t1977\n2\t\"Help!\" and more\t1965\n3\tAbbey Road\t1969\n4\t\"Low\" again\t1977\n",
     ["id", "title", "year"], [["1", "\"Heroes\" live", "1977"], ["2", "\"Help!\" and more", "1965"], ["3", "Abbey Road", "1969"]], n=4, delim="\t", quote=None)
case("quote_left_open", "One quote that is never closed, no other in the file: it is data",
     "id,name,city\n1,Ann,Leeds\n2,\"Bob,York\n3,Cy,Hull\n4,Di,Bath\n5,Ed,Ely\n6,Flo,Rye\n", ["id", "name", "city"],
     [["1", "Ann", "Leeds"], ["2", "\"Bob", "York"], ["3", "Cy", "Hull"]], n=6, quote=None)
case("space_before_quote", "Spaces between delimiters and quotes", "a, \"b, c\", d\n1, \"x, y\", 2\n3, \"z\", 4\n5, \"p, q\", 6\n",
     ["a", "b, c", "d"], [["1", "x, y", "2"], ["3", "z", "4"], ["5", "p, q", "6"]], trim=True)
case("spaces_all_round", "A space behind every comma", "name, age, city\nAnn, 31, Leeds\nBob, 27, York\nCy, 19, Hull\n",
     ["name", "age", "city"], [["Ann", "31", "Leeds"], ["Bob", "27", "York"], ["Cy", "19", "Hull"]], trim=True)
case("apostrophe_names", "Apostrophes in and before names are data", "id,name\n1,O'Brien\n2,'s-Hertogenbosch\n3,D'Arcy\n4,'t Hooft\n",
     ["id", "name"], [["1", "O'Brien"], ["2", "'s-Hertogenbosch"], ["3", "D'Arcy"]], n=4)
case("json_cells", "JSON in cells", "id,data\n1,\"{\"\"a\"\":1,\"\"b\"\":\"\"x;y\"\"}\"\n2,\"[1,2,3]\"\n3,\"{}\"\n",
     ["id", "data"], [["1", "{\"a\":1,\"b\":\"x;y\"}"], ["2", "[1,2,3]"], ["3", "{}"]])
case("html_cells", "HTML in cells", "id,html\n1,\"<a href=\"\"https://example.com/?a=1;b=2\"\">x</a>\"\n2,\"<b>bold; and, more</b>\"\n3,<i>plain</i>\n",
     ["id", "html"], [["1", "<a href=\"https://example.com/?a=1;b=2\">x</a>"], ["2", "<b>bold; and, more</b>"], ["3", "<i>plain</i>"]])
case("windows_paths", "Paths that end with a backslash right before the closing quote", "id,path,size\n1,\"C:\\data\\\",10\n2,\"D:\\a, b\\\",20\n3,C:\\plain,30\n",
     ["id", "path", "size"], [["1", "C:\\data\\", "10"], ["2", "D:\\a, b\\", "20"], ["3", "C:\\plain", "30"]])
case("semicolons_in_text", "Commas, and semicolons within text", "id,authors,title\n1,Lee; Ray,One\n2,Young,Two\n3,Lee; Ray; Kay,Three\n",
     ["id", "authors", "title"], [["1", "Lee; Ray", "One"], ["2", "Young", "Two"], ["3", "Lee; Ray; Kay", "Three"]])
case("commas_in_semicolon_file", "Semicolons, and commas in almost every cell", "Nachname, Vorname;Adresse;Betrag\nMüller, Hans;Hauptstr. 1, Köln;12,50\nMeier, Eva;Ring 7, Bonn;7,00\nSchmidt, Jo;Allee 3, Ulm;100,00\n",
     ["Nachname, Vorname", "Adresse", "Betrag"], [["Müller, Hans", "Hauptstr. 1, Köln", "12,50"], ["Meier, Eva", "Ring 7, Bonn", "7,00"], ["Schmidt, Jo", "Allee 3, Ulm", "100,00"]], delim=";")
case("pipes_with_tabs", "Pipes, and tabs within cells", "id|note|n\n1|a\tb|10\n2|c|20\n3|d\te\tf|30\n",
     ["id", "note", "n"], [["1", "a\tb", "10"], ["2", "c", "20"], ["3", "d\te\tf", "30"]], delim="|")
case("decimal_commas_only", "Semicolons between numbers with decimal commas, no header", "1,5;2,7;3,9\n4,1;5,2;6,3\n7,0;8,8;9,1\n",
     numbered(3), [["1,5", "2,7", "3,9"], ["4,1", "5,2", "6,3"], ["7,0", "8,8", "9,1"]], delim=";", header=False)
case("times_with_commas", "Times and dates full of colons", "start,end,note\n10:00:00,11:30:00,a: b\n12:15:30,13:00:00,c\n14:00:00,15:45:00,d: e\n",
     ["start", "end", "note"], [["10:00:00", "11:30:00", "a: b"], ["12:15:30", "13:00:00", "c"], ["14:00:00", "15:45:00", "d: e"]])
case("mixed_delimiters", "Commas, but one row with semicolons", "id,name,city\n1,Ann,Leeds\n2;Bob;York\n3,Cy,Hull\n4,Di,Bath\n",
     ["id", "name", "city"], [["1", "Ann", "Leeds"], ["2;Bob;York"], ["3", "Cy", "Hull"]], n=4)
case("quoted_header_only", "Only the header is quoted", "\"id\";\"name\";\"total, net\"\n1;Ann;5,0\n2;Bob;6,5\n3;Cy;7,25\n",
     ["id", "name", "total, net"], [["1", "Ann", "5,0"], ["2", "Bob", "6,5"], ["3", "Cy", "7,25"]], delim=";")
case("empty_quoted", "Empty cells in quotes", "a,b,c\n\"\",\"\",\"\"\n1,\"\",3\n\"\",2,\"\"\n", ["a", "b", "c"], [["", "", ""], ["1", "", "3"], ["", "2", ""]])
case("long_multiline", "A description of many lines with delimiters of all kinds",
     "id,description,price\n1,\"Line one; with semicolons;\nLine two | with pipes |\nLine three, with commas,\n\tand a tab\",9.99\n2,short,1.00\n3,\"again\n;;;\n|||\",2.00\n",
     ["id", "description", "price"], [["1", "Line one; with semicolons;\nLine two | with pipes |\nLine three, with commas,\n\tand a tab", "9.99"], ["2", "short", "1.00"], ["3", "again\n;;;\n|||", "2.00"]])

# ---- lines --------------------------------------------------------------------------------------
case("mixed_line_ends", "Line ends of Windows and Unix", "id,name\r\n1,Ann\n2,Bob\r\n3,Cy\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], le="mixed")
case("all_line_ends", "All three line ends", "id,name,n\r\n1,Ann,5\r2,Bob,6\n3,Cy,7\r4,Di,8\r\n5,Ed,9\n", ["id", "name", "n"], [["1", "Ann", "5"], ["2", "Bob", "6"], ["3", "Cy", "7"]], n=5, le="mixed")
case("double_cr", "Line ends written twice by Windows: \\r\\r\\n", "id,name\r\r\n1,Ann\r\r\n2,Bob\r\r\n3,Cy\r\r\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], le="mixed")
case("cr_within_cells", "Carriage returns within quoted cells", "id,note\n1,\"a\rb\"\n2,\"c\rd\"\n3,e\n", ["id", "note"], [["1", "a\rb"], ["2", "c\rd"], ["3", "e"]])
case("blank_lines_between", "A blank line between all rows", "id,name\n\n1,Ann\n\n2,Bob\n\n3,Cy\n\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]])
case("blank_lines_above", "Blank lines above the header", "\n\n\nid,name\n1,Ann\n2,Bob\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"]], pre=3)
case("nul_bytes", "NUL bytes in cells", b"id,name,note\n1,Ann,\0\n2,B\0b,x\n3,Cy,y\n", ["id", "name", "note"], [["1", "Ann", "\0"], ["2", "B\0b", "x"], ["3", "Cy", "y"]])
case("no_end", "No line end at the end", "id,name\n1,Ann\n2,Bob", ["id", "name"], [["1", "Ann"], ["2", "Bob"]])
case("ctrl_z", "The end mark of DOS", b"id,name\r\n1,Ann\r\n2,Bob\r\n3,Cy\r\n\x1a", ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], n=4, le="\r\n")

# ---- around the table ---------------------------------------------------------------------------
case("comments_above", "Comments above the table", "# produced 2024-01-31\n# by station 7; units: C, %\ntime,temp,hum\n00:00,21.5,40\n00:10,21.7,41\n00:20,21.9,41\n",
     ["time", "temp", "hum"], [["00:00", "21.5", "40"], ["00:10", "21.7", "41"], ["00:20", "21.9", "41"]], pre=2)
case("comments_between", "Comments between rows", "time,temp\n0,21.5\n# sensor moved\n10,21.7\n20,21.9\n# end of shift, see log\n30,22.0\n",
     ["time", "temp"], [["0", "21.5"], ["10", "21.7"], ["20", "21.9"]], n=4, comment="#")
case("hash_header", "The header begins with a hash", "#chrom\tstart\tend\nchr1\t100\t200\nchr1\t300\t400\nchr2\t5\t50\n",
     ["#chrom", "start", "end"], [["chr1", "100", "200"], ["chr1", "300", "400"], ["chr2", "5", "50"]], delim="\t")
case("hash_data", "Colours: a hash is data", "#ff0000,red\n#00ff00,lime\n#0000ff,blue\n", numbered(2), [["#ff0000", "red"], ["#00ff00", "lime"], ["#0000ff", "blue"]], header=False)
case("vcf_like", "Lines of two hashes, then the header with one", "##fileformat=VCFv4.2\n##source=tool,version=1\n#CHROM\tPOS\tID\tREF\tALT\n1\t100\trs1\tA\tG\n1\t200\trs2\tC\tT\n2\t50\trs3\tG\tA\n",
     ["#CHROM", "POS", "ID", "REF", "ALT"], [["1", "100", "rs1", "A", "G"], ["1", "200", "rs2", "C", "T"], ["2", "50", "rs3", "G", "A"]], delim="\t", pre=2)
case("title_and_total", "A title above, a total below", "Quarterly figures\n\nRegion;Q1;Q2\nNord;10;20\nSüd;5;7\nOst;8;8\nSumme;23;35\n\nErstellt am 31.01.2024\n",
     ["Region", "Q1", "Q2"], [["Nord", "10", "20"], ["Süd", "5", "7"], ["Ost", "8", "8"]], n=5, delim=";", pre=2)
case("metadata_colon", "Lines of names and values above", "Report: Inventory\nDate: 2024-01-31, 10:00\nAuthor: Lee, Ann\n\nsku,name,stock\nA1,Bolt,5\nB2,Nut,7\nC3,Gear,0\n",
     ["sku", "name", "stock"], [["A1", "Bolt", "5"], ["B2", "Nut", "7"], ["C3", "Gear", "0"]], pre=4)
case("two_tables", "Two tables: the first is the table, rows of the second do not fit", "id,name,city\n1,Ann,Leeds\n2,Bob,York\n3,Cy,Hull\n4,Di,Bath\n\ncode,price\nA,1.5\nB,2.5\n",
     ["id", "name", "city"], [["1", "Ann", "Leeds"], ["2", "Bob", "York"], ["3", "Cy", "Hull"]], n=7)
case("two_tables_same_width", "Two tables of one width", "city,people\nLeeds,536280\nYork,141685\nHull,267014\n\nriver,length\nAire,114\nOuse,84\nHumber,62\n",
     ["city", "people"], [["Leeds", "536280"], ["York", "141685"], ["Hull", "267014"]], n=7)
case("repeated_header", "The header stands again on every page", "id,name\n1,Ann\n2,Bob\nid,name\n3,Cy\n4,Di\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["id", "name"]], n=5)
case("group_header", "Groups of columns above the header", ",2023,,2024,\nRegion,Units,Revenue,Units,Revenue\nNorth,1,10.5,2,20.5\nSouth,3,30.5,4,40.5\nWest,5,50.5,6,60.5\n",
     ["Region", "Units", "Revenue", "Units", "Revenue"], [["North", "1", "10.5", "2", "20.5"], ["South", "3", "30.5", "4", "40.5"], ["West", "5", "50.5", "6", "60.5"]], pre=1)
case("units_row", "A row of units below the header is a record", "time,temp,pressure\ns,°C,hPa\n0,21.5,1013\n1,21.6,1013\n2,21.7,1012\n",
     ["time", "temp", "pressure"], [["s", "°C", "hPa"], ["0", "21.5", "1013"], ["1", "21.6", "1013"]], n=4)
case("end_marker", "A line that says that this is the end", "id;name;qty\n1;Bolt;5\n2;Nut;7\n3;Gear;1\n-- end --\n", ["id", "name", "qty"], [["1", "Bolt", "5"], ["2", "Nut", "7"], ["3", "Gear", "1"]], n=4, delim=";")
case("long_preamble", "A dozen lines of text above the table",
     "WEATHER STATION EXPORT\n======================\nStation:\tLeeds, Yorkshire\nLat/Lon:\t53.8, -1.5\n\nThis file is provided as is, without\nwarranty; see the licence for details.\n\nColumns are tab delimited.\n\ndate\tmin\tmax\train\n2024-01-01\t1.5\t6.0\t0.0\n2024-01-02\t-0.5\t4.5\t2.2\n2024-01-03\t2.0\t7.5\t0.4\n",
     ["date", "min", "max", "rain"], [["2024-01-01", "1.5", "6.0", "0.0"], ["2024-01-02", "-0.5", "4.5", "2.2"], ["2024-01-03", "2.0", "7.5", "0.4"]], delim="\t", pre=10)

# ---- rows and headers ---------------------------------------------------------------------------
case("ragged_short", "Rows that miss cells at the end", "id,name,city,note\n1,Ann,Leeds,x\n2,Bob\n3,Cy,Hull\n4,Di,Bath,y\n5,Ed,Ely,z\n", ["id", "name", "city", "note"], [["1", "Ann", "Leeds", "x"], ["2", "Bob"], ["3", "Cy", "Hull"]], n=5)
case("ragged_long", "Rows with cells too many", "id,name,city\n1,Ann,Leeds\n2,Bob,York,extra\n3,Cy,Hull\n4,Di,Bath,,\n", ["id", "name", "city"], [["1", "Ann", "Leeds"], ["2", "Bob", "York", "extra"], ["3", "Cy", "Hull"]], n=4)
case("trailing_delimiter_rows", "A delimiter at the end of every row but the header", "id,name,city\n1,Ann,Leeds,\n2,Bob,York,\n3,Cy,Hull,\n", ["id", "name", "city"], [["1", "Ann", "Leeds", ""], ["2", "Bob", "York", ""], ["3", "Cy", "Hull", ""]])
case("no_header_numbers", "Numbers alone", "1,2,3\n4,5,6\n7,8,9\n", numbered(3), [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]], header=False)
case("no_header_people", "People without a header", "John,Smith,London\nMary,Jones,Paris\nAnne,Brown,Berlin\nPaul,Green,Madrid\n", numbered(3), [["John", "Smith", "London"], ["Mary", "Jones", "Paris"], ["Anne", "Brown", "Berlin"]], n=4, header=False)
case("no_header_mixed", "Ids, mails and dates without a header", "17,ann@example.com,2024-01-31,t\n18,bob@example.org,2024-02-01,f\n19,cy@example.net,2024-02-02,t\n",
     numbered(4), [["17", "ann@example.com", "2024-01-31", "t"], ["18", "bob@example.org", "2024-02-01", "f"], ["19", "cy@example.net", "2024-02-02", "t"]], header=False)
case("header_text_only", "Words alone, with a header", "first name,last name,favourite colour\nAnn,Lee,red\nBob,Ray,blue\nCy,Young,green\n", ["first name", "last name", "favourite colour"], [["Ann", "Lee", "red"], ["Bob", "Ray", "blue"], ["Cy", "Young", "green"]])
case("header_years", "Years as names", "country,2021,2022,2023\nFrance,1.5,1.7,1.9\nItaly,2.5,2.6,2.8\nSpain,3.0,3.1,3.3\n", ["country", "2021", "2022", "2023"], [["France", "1.5", "1.7", "1.9"], ["Italy", "2.5", "2.6", "2.8"], ["Spain", "3.0", "3.1", "3.3"]])
case("header_duplicates", "One name twice, one empty", "id,name,name,\n1,Ann,Lee,x\n2,Bob,Ray,y\n", ["id", "name", "name", ""], [["1", "Ann", "Lee", "x"], ["2", "Bob", "Ray", "y"]])
case("header_only", "A header and nothing else", "id,name,email\n", ["id", "name", "email"], [])
case("one_row_data", "One row of data", "17,Ann,ann@example.com,2024-01-31\n", numbered(4), [["17", "Ann", "ann@example.com", "2024-01-31"]], header=False)
case("one_column", "One column of words", "city\nLeeds\nYork\nHull\n", ["city"], [["Leeds"], ["York"], ["Hull"]])
case("one_column_mails", "One column of addresses, no header", "ann@example.com\nbob@example.org\ncy@example.net\n", ["column_1"], [["ann@example.com"], ["bob@example.org"], ["cy@example.net"]], header=False)
case("one_column_text", "One column of sentences with commas", "comment\nNice, but slow\nGood\nI liked it, really, a lot\nNo\n\"Well, quoted\"\n", ["comment"], [["Nice, but slow"], ["Good"], ["I liked it, really, a lot"]], n=5, delim=";")
case("one_column_decimals", "One column of decimal commas", "Preis\n1,50\n2,75\n13,00\n", ["Preis"], [["1,50"], ["2,75"], ["13,00"]], delim=";")
case("one_column_times", "One column of times", "zeit\n10:15:00\n11:30:00\n12:45:00\n", ["zeit"], [["10:15:00"], ["11:30:00"], ["12:45:00"]])
case("sparse", "Hardly any cell is filled", "id,a,b,c,d,e\n1,,,,,\n2,,x,,,\n3,,,,,y\n4,,,,,\n", ["id", "a", "b", "c", "d", "e"], [["1", "", "", "", "", ""], ["2", "", "x", "", "", ""], ["3", "", "", "", "", "y"]], n=4)
case("wide", "300 columns", ",".join("c%d" % i for i in range(300)) + "\n" + "\n".join(",".join(str(i * r) for i in range(300)) for r in (1, 2, 3)) + "\n",
     ["c%d" % i for i in range(300)], [[str(i * r) for i in range(300)] for r in (1, 2, 3)])
case("phones_and_plus", "Phone numbers", "name;phone\nAnn;+44 113 496 0000\nBob;+49 (0)221 1234-56\nCy;0043/1/58801\n", ["name", "phone"], [["Ann", "+44 113 496 0000"], ["Bob", "+49 (0)221 1234-56"], ["Cy", "0043/1/58801"]], delim=";")
case("coordinates", "Pairs of numbers within quotes", "place,position\nLeeds,\"53.80, -1.55\"\nYork,\"53.96, -1.08\"\nHull,\"53.74, -0.33\"\n", ["place", "position"], [["Leeds", "53.80, -1.55"], ["York", "53.96, -1.08"], ["Hull", "53.74, -0.33"]])
case("log_lines", "A log with pipes and sentences", "2024-01-31 10:00:00|INFO|started, port 80\n2024-01-31 10:00:05|WARN|slow: 5,2 s; retry\n2024-01-31 10:00:09|INFO|stopped\n",
     numbered(3), [["2024-01-31 10:00:00", "INFO", "started, port 80"], ["2024-01-31 10:00:05", "WARN", "slow: 5,2 s; retry"], ["2024-01-31 10:00:09", "INFO", "stopped"]], delim="|", header=False)
case("markdown_like_lists", "Lists within cells, parted by pipes", "id,tags,n\n1,a|b|c,3\n2,d|e,2\n3,f,1\n", ["id", "tags", "n"], [["1", "a|b|c", "3"], ["2", "d|e", "2"], ["3", "f", "1"]])
case("url_heavy", "Addresses with delimiters in them", "url,hits\nhttps://example.com/a?b=1&c=2;d=3,5\nhttps://example.com/x|y,7\nhttps://example.org/,9\n", ["url", "hits"], [["https://example.com/a?b=1&c=2;d=3", "5"], ["https://example.com/x|y", "7"], ["https://example.org/", "9"]])
case("two_columns_colon", "Names and values with colons, which are commas' columns", "key,value\nretries,3\nhost,a:b:c\nwindow,10:00-12:00\n", ["key", "value"], [["retries", "3"], ["host", "a:b:c"], ["window", "10:00-12:00"]])
case("german_header_only_text", "German words alone", "Vorname;Nachname;Ort\nHans;Müller;Köln\nEva;Meier;Bonn\nJo;Schmidt;Ulm\n", ["Vorname", "Nachname", "Ort"], [["Hans", "Müller", "Köln"], ["Eva", "Meier", "Bonn"], ["Jo", "Schmidt", "Ulm"]], delim=";")
case("thousands_commas", "Numbers with commas between thousands, semicolons between cells", "city;people;area\nLeeds;536,280;551.7\nYork;141,685;271.9\nHull;267,014;71.5\n", ["city", "people", "area"], [["Leeds", "536,280", "551.7"], ["York", "141,685", "271.9"], ["Hull", "267,014", "71.5"]], delim=";")


# ---- a second round, written after the code could read all above: see the README for the first result ----
case("b_access_log", "A web server's log: spaces, quotes, brackets",
     "127.0.0.1 - ann [10/Oct/2023:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326\n127.0.0.1 - bob [10/Oct/2023:13:55:40 -0700] \"GET /b HTTP/1.1\" 404 12\n10.0.0.7 - - [10/Oct/2023:13:56:01 -0700] \"POST /c HTTP/1.1\" 200 77\n",
     numbered(8), [["127.0.0.1", "-", "ann", "[10/Oct/2023:13:55:36", "-0700]", "GET /a.gif HTTP/1.0", "200", "2326"], ["127.0.0.1", "-", "bob", "[10/Oct/2023:13:55:40", "-0700]", "GET /b HTTP/1.1", "404", "12"], ["10.0.0.7", "-", "-", "[10/Oct/2023:13:56:01", "-0700]", "POST /c HTTP/1.1", "200", "77"]],
     delim=" ", header=False)
case("b_markdown", "A table of Markdown", "| id | name | price |\n|----|------|-------|\n| 1 | Ann | 9.50 |\n| 2 | Bob | 12.00 |\n",
     ["", "id", "name", "price", ""], [["", "----", "------", "-------", ""], ["", "1", "Ann", "9.50", ""], ["", "2", "Bob", "12.00", ""]], delim="|", trim=True)
case("b_pivot_months", "Months as names", "Product;Jan 24;Feb 24;Mrz 24\nBolt;10,5;12,0;9,9\nNut;1,0;2,5;3,0\nGear;7,0;7,5;8,0\n",
     ["Product", "Jan 24", "Feb 24", "Mrz 24"], [["Bolt", "10,5", "12,0", "9,9"], ["Nut", "1,0", "2,5", "3,0"], ["Gear", "7,0", "7,5", "8,0"]], delim=";")
case("b_pandas_numbers", "pandas without names: columns are numbered", ",0,1,2\n0,0.51,0.22,0.13\n1,0.74,0.95,0.36\n2,0.17,0.28,0.99\n",
     ["", "0", "1", "2"], [["0", "0.51", "0.22", "0.13"], ["1", "0.74", "0.95", "0.36"], ["2", "0.17", "0.28", "0.99"]])
case("b_title_with_comma", "A title with the delimiter, right above the header", "Inventory, Leeds\nsku,stock\nA1,5\nB2,7\nC3,0\n",
     ["sku", "stock"], [["A1", "5"], ["B2", "7"], ["C3", "0"]], pre=1)
case("b_quoted_title", "A title in quotes above quoted rows", "\"Sales, by region\"\n\"Region\",\"Units\",\"Price\"\n\"North\",\"1\",\"2.50\"\n\"South\",\"3\",\"4.50\"\n",
     ["Region", "Units", "Price"], [["North", "1", "2.50"], ["South", "3", "4.50"]], pre=1)
case("b_whole_line_quoted", "Every line in quotes, its own quotes doubled: one column", "\"id,name,note\"\n\"1,Ann,\"\"a, b\"\"\"\n\"2,Bob,c\"\n\"3,Cy,d\"\n",
     ["id,name,note"], [["1,Ann,\"a, b\""], ["2,Bob,c"], ["3,Cy,d"]])
case("b_excel_formulas", "Text kept as text by formulas", "code,name,qty\n=\"00123\",Bolt,5\n=\"00456\",Nut,7\n=\"00789\",Gear,1\n",
     ["code", "name", "qty"], [["=\"00123\"", "Bolt", "5"], ["=\"00456\"", "Nut", "7"], ["=\"00789\"", "Gear", "1"]])
case("b_slash_comments", "Comments of two slashes", "// exported by tool\nid;name\n1;Ann\n// halfway; still going\n2;Bob\n3;Cy\n",
     ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], delim=";", pre=1, comment="/")
case("b_percent_comments", "Comments of percent signs, then numbers", "% x y z\n% made today\n0.1\t0.2\t0.3\n0.4\t0.5\t0.6\n0.7\t0.8\t0.9\n",
     numbered(3), [["0.1", "0.2", "0.3"], ["0.4", "0.5", "0.6"], ["0.7", "0.8", "0.9"]], delim="\t", header=False, pre=2)
case("b_outlook", "Contacts: many columns, nearly all empty", "First Name,Middle Name,Last Name,Company,Home Phone,E-mail Address,Notes\nAnn,,Lee,,,ann@example.com,\nBob,,,Acme,+1 555 0100,,\n,,,Depot,,,\"Gate 7, ring\ntwice\"\n",
     ["First Name", "Middle Name", "Last Name", "Company", "Home Phone", "E-mail Address", "Notes"],
     [["Ann", "", "Lee", "", "", "ann@example.com", ""], ["Bob", "", "", "Acme", "+1 555 0100", "", ""], ["", "", "", "Depot", "", "", "Gate 7, ring\ntwice"]])
case("b_elster", "Two lines of metadata with as many cells, German", "Steuernummer;11/222/33333;;\nZeitraum;01.01.2024-31.12.2024;;\n;;;\nBeleg;Datum;Netto;Steuer\nR1;03.01.2024;100,00;19,00\nR2;05.01.2024;50,00;9,50\nR3;09.02.2024;10,00;0,70\n",
     ["Beleg", "Datum", "Netto", "Steuer"], [["R1", "03.01.2024", "100,00", "19,00"], ["R2", "05.01.2024", "50,00", "9,50"], ["R3", "09.02.2024", "10,00", "0,70"]], delim=";", pre=3)
case("b_sensor_header_units", "Names with units and brackets", "Time [s];Temp (°C);Pressure [hPa];RH %\n0,0;21,5;1013,2;40\n0,5;21,6;1013,1;41\n1,0;21,7;1013,0;41\n",
     ["Time [s]", "Temp (°C)", "Pressure [hPa]", "RH %"], [["0,0", "21,5", "1013,2", "40"], ["0,5", "21,6", "1013,1", "41"], ["1,0", "21,7", "1013,0", "41"]], delim=";")
case("b_tab_with_quotes_inside", "Tabs, and sentences with quotes and commas", "id\tcomment\tstars\n1\tGreat, \"really\" great\t5\n2\t\"Never again\"\t1\n3\tok; fine\t3\n",
     ["id", "comment", "stars"], [["1", "Great, \"really\" great", "5"], ["2", "Never again", "1"], ["3", "ok; fine", "3"]], delim="\t")
case("b_negative_numbers", "Rows that begin with a minus", "x,y\n-1.5,2\n-2.5,-3\n4,-1\n", ["x", "y"], [["-1.5", "2"], ["-2.5", "-3"], ["4", "-1"]])
case("b_dash_cells", "Dashes for nothing", "name,a,b\nAnn,-,5\nBob,---,7\nCy,3,-\n", ["name", "a", "b"], [["Ann", "-", "5"], ["Bob", "---", "7"], ["Cy", "3", "-"]])
case("b_all_text_snake", "Words alone under codes", "customer_ref,ship_mode,seg\nalpha,ground,consumer\nbeta,air,corporate\ngamma,ground,home\n",
     ["customer_ref", "ship_mode", "seg"], [["alpha", "ground", "consumer"], ["beta", "air", "corporate"], ["gamma", "ground", "home"]])
case("b_no_header_codes", "Codes and words without a header", "DE;Deutschland;Berlin\nFR;Frankreich;Paris\nIT;Italien;Rom\nES;Spanien;Madrid\n",
     numbered(3), [["DE", "Deutschland", "Berlin"], ["FR", "Frankreich", "Paris"], ["IT", "Italien", "Rom"]], n=4, delim=";", header=False)
case("b_no_header_dates", "Dates and amounts without a header", "2024-01-01;10,50\n2024-01-02;11,20\n2024-01-03;9,99\n", numbered(2), [["2024-01-01", "10,50"], ["2024-01-02", "11,20"], ["2024-01-03", "9,99"]], delim=";", header=False)
case("b_two_rows", "A header and one row", "sku;price\nA1;9,99\n", ["sku", "price"], [["A1", "9,99"]], delim=";")
case("b_one_cell", "One number", "42\n", ["column_1"], [["42"]], header=False)
case("b_one_word", "One word", "name\n", ["name"], [])
case("b_prose", "No table at all: a letter", "Dear Ann,\n\nthank you for your mail, which came today. I will\nanswer it soon, I promise.\n\nYours, Bob\n", ["Dear Ann,"],
     [["thank you for your mail, which came today. I will"], ["answer it soon, I promise."], ["Yours, Bob"]], delim=";")
case("b_ini_like", "Names and values parted by an equals sign", "host=example.com\nport=8080\nuser=ann\nmode=fast\n", numbered(2), [["host", "example.com"], ["port", "8080"], ["user", "ann"]], n=4, delim="=", header=False)
case("b_semicolon_trailing_all", "A delimiter at the end of header and rows", "id;name;qty;\n1;Bolt;5;\n2;Nut;7;\n", ["id", "name", "qty", ""], [["1", "Bolt", "5", ""], ["2", "Nut", "7", ""]], delim=";")
case("b_leading_delimiter", "A delimiter at the beginning of every line", ";id;name\n;1;Bolt\n;2;Nut\n;3;Gear\n", ["", "id", "name"], [["", "1", "Bolt"], ["", "2", "Nut"], ["", "3", "Gear"]], delim=";")
case("b_phone_book_pipe", "Pipes and long text with every other delimiter", "nm|tel|memo\nLee, A.|030/12 34; 56|call: mon, tue\nRay, B.|040-77\tx12|n/a\nYoung, C.|+1 (555) 0100|\"soon\"\n",
     ["nm", "tel", "memo"], [["Lee, A.", "030/12 34; 56", "call: mon, tue"], ["Ray, B.", "040-77\tx12", "n/a"], ["Young, C.", "+1 (555) 0100", "soon"]], delim="|")
case("b_lat_lon", "Decimal points and minus signs without a header", "53.8008,-1.5491\n53.9590,-1.0815\n53.7676,-0.3274\n", numbered(2), [["53.8008", "-1.5491"], ["53.9590", "-1.0815"], ["53.7676", "-0.3274"]], header=False)
case("b_booleans", "Columns of yes and no", "feature,free,pro\nexport,no,yes\nshare,yes,yes\naudit,no,no\n", ["feature", "free", "pro"], [["export", "no", "yes"], ["share", "yes", "yes"], ["audit", "no", "no"]])
case("b_excel_text_numbers", "Numbers as names over text", "2023;2024\nrot;blau\ngrün;gelb\nweiß;rot\n", ["2023", "2024"], [["rot", "blau"], ["grün", "gelb"], ["weiß", "rot"]], delim=";")
case("b_utf8_bom_quoted_semicolon", "A mark, then a quoted header", "\ufeff\"Id\";\"Größe\"\r\n\"1\";\"5,0\"\r\n\"2\";\"7,5\"\r\n", ["Id", "Größe"], [["1", "5,0"], ["2", "7,5"]], delim=";", le="\r\n")
case("b_utf16be_semicolon", "UTF-16 BE with a mark and semicolons", "\ufeffNr;Name\r\n1;Müller\r\n2;Weiß\r\n".encode("utf-16-be"), ["Nr", "Name"], [["1", "Müller"], ["2", "Weiß"]], enc="utf-16be", delim=";", le="\r\n")
case("b_italian_1252", "windows-1252, Italian, accents at the end of words", "città;quantità;perché\nForlì;12;più\nCantù;7;così\nNardò;9;già\n", ["città", "quantità", "perché"], [["Forlì", "12", "più"], ["Cantù", "7", "così"], ["Nardò", "9", "già"]], enc="windows-1252", delim=";")
case("b_portuguese_1252", "windows-1252, Portuguese", "código;descrição;preço\n1;Maçã;2,50\n2;Pão;1,20\n3;Limão;0,99\n", ["código", "descrição", "preço"], [["1", "Maçã", "2,50"], ["2", "Pão", "1,20"], ["3", "Limão", "0,99"]], enc="windows-1252", delim=";")
case("b_swedish_1252", "windows-1252, Swedish", "namn;ort\nÅsa Öberg;Malmö\nPär Sjöström;Växjö\nGöran Åkesson;Umeå\n", ["namn", "ort"], [["Åsa Öberg", "Malmö"], ["Pär Sjöström", "Växjö"], ["Göran Åkesson", "Umeå"]], enc="windows-1252", delim=";")
case("b_czech_1250", "windows-1250, Czech", "číslo;jméno;město\n1;Jiří Dvořák;Plzeň\n2;Tomáš Černý;Jihlava\n3;Žaneta Šťastná;Ústí nad Labem\n", ["číslo", "jméno", "město"], [["1", "Jiří Dvořák", "Plzeň"], ["2", "Tomáš Černý", "Jihlava"], ["3", "Žaneta Šťastná", "Ústí nad Labem"]], enc="windows-1250", delim=";")
case("b_thai", "windows-874", "รหัส,ชื่อ,จังหวัด\n1,สมชาย ใจดี,กรุงเทพมหานคร\n2,สมหญิง รักเรียน,เชียงใหม่\n", ["รหัส", "ชื่อ", "จังหวัด"], [["1", "สมชาย ใจดี", "กรุงเทพมหานคร"], ["2", "สมหญิง รักเรียน", "เชียงใหม่"]], enc="windows-874", write="cp874")
case("b_half_width_katakana", "Shift_JIS as banks write it: katakana of half width", "日付,摘要,金額\r\n2024/01/31,ﾌﾘｺﾐ ﾔﾏﾀﾞ ﾀﾛｳ,\"12,000\"\r\n2024/02/01,ﾃﾞﾝｷﾀﾞｲ,\"-8,500\"\r\n",
     ["日付", "摘要", "金額"], [["2024/01/31", "ﾌﾘｺﾐ ﾔﾏﾀﾞ ﾀﾛｳ", "12,000"], ["2024/02/01", "ﾃﾞﾝｷﾀﾞｲ", "-8,500"]], enc="shift_jis", write="cp932", le="\r\n")
case("b_shift_jis_backslash", "Shift_JIS whose second bytes are backslashes", "番号,名称\n1,表示能力\n2,十ソ構\n3,予定表\n", ["番号", "名称"], [["1", "表示能力"], ["2", "十ソ構"], ["3", "予定表"]], enc="shift_jis", write="cp932")
case("b_gb18030", "GBK with a rare character of four bytes", "编号,姓名\n1,㐂田\n2,李小龙\n3,王力宏\n", ["编号", "姓名"], [["1", "㐂田"], ["2", "李小龙"], ["3", "王力宏"]], enc="gb18030", write="gb18030")
case("b_escape_no_quotes", "Commas behind backslashes, no quotes", "id,title\n1,One\\, two\n2,Three\n3,Four\\, five\\, six\n4,Seven\n", ["id", "title"], [["1", "One, two"], ["2", "Three"], ["3", "Four, five, six"]], n=4, escape="\\")
case("b_single_quote_backslash", "Apostrophes as quotes, backslashes before them", "'id','text'\n'1','it\\'s, ok'\n'2','plain'\n'3','don\\'t'\n", ["id", "text"], [["1", "it's, ok"], ["2", "plain"], ["3", "don't"]], quote="'", escape="\\")
case("b_json_backslash", "JSON with backslashes within doubled quotes", "id,doc\n1,\"{\"\"t\"\":\"\"line\\nbreak\"\"}\"\n2,\"{\"\"t\"\":\"\"tab\\t\"\"}\"\n", ["id", "doc"], [["1", "{\"t\":\"line\\nbreak\"}"], ["2", "{\"t\":\"tab\\t\"}"]])
case("b_dirty_quotes_some", "Most quotes are right, one has text behind it", "id,name,note\n1,\"Lee, Ann\",ok\n2,\"Ray\" B.,ok\n3,\"Young, Cy\",\"a, b\"\n4,\"Hall, Di\",ok\n", ["id", "name", "note"], [["1", "Lee, Ann", "ok"], ["2", "Ray B.", "ok"], ["3", "Young, Cy", "a, b"]], n=4)
case("b_open_quote_among_good", "Good quotes, and one that is never closed near the end: rows behind it are in its record", "id,name,note\n" + "".join("%d,\"Lee, A%d\",ok\n" % (i, i) for i in range(1, 21)) + "21,\"open,ok\n22,Bob,ok\n",
     ["id", "name", "note"], [["1", "Lee, A1", "ok"], ["2", "Lee, A2", "ok"], ["3", "Lee, A3", "ok"]], n=21)
case("b_cr_data", "Notes with carriage returns, unquoted, among Unix rows", "id,note,n\n1,a,5\n2,b\rc,6\n3,d,7\n4,e,8\n5,f,9\n6,g,1\n", ["id", "note", "n"], [["1", "a", "5"], ["2", "b\rc", "6"], ["3", "d", "7"]], n=6)
case("b_spaces_only_lines", "Lines of spaces between rows", "id,name\n   \n1,Ann\n  \n2,Bob\n", ["id", "name"], [["1", "Ann"], ["2", "Bob"]], n=2, trim=True)
case("b_totals_per_group", "Totals within the table", "dept,name,hours\nA,Ann,5\nA,Bob,7\nTotal A,,12\nB,Cy,3\nTotal B,,3\nTotal,,15\n", ["dept", "name", "hours"], [["A", "Ann", "5"], ["A", "Bob", "7"], ["Total A", "", "12"]], n=6)
case("b_numbered_title", "A report number and page above, form feed between pages", "Report 4711    Page 1\n\nid;name;qty\n1;Bolt;5\n2;Nut;7\n\x0c\n3;Gear;1\n", ["id", "name", "qty"], [["1", "Bolt", "5"], ["2", "Nut", "7"], ["\x0c"]], n=4, delim=";", pre=2)
case("b_english_dates_names", "Long dates with commas in quotes", "event,when\nLaunch,\"Monday, January 15, 2024\"\nClose,\"Friday, March 1, 2024\"\n", ["event", "when"], [["Launch", "Monday, January 15, 2024"], ["Close", "Friday, March 1, 2024"]])
case("b_ip_list", "Addresses and ports", "ip:port\n10.0.0.1:80\n10.0.0.2:443\n10.0.0.3:8080\n", ["ip", "port"], [["10.0.0.1", "80"], ["10.0.0.2", "443"], ["10.0.0.3", "8080"]], delim=":")
case("b_currency", "Dollar signs and thousands in quotes", "item,price\nCar,\"$12,500.00\"\nBike,$250.00\nBoat,\"$1,250,000.00\"\n", ["item", "price"], [["Car", "$12,500.00"], ["Bike", "$250.00"], ["Boat", "$1,250,000.00"]])
case("b_survey", "Answers that are sentences, and ids", "respondent,q1,q2\nr1,\"Yes, very much\",\"Because it is fast, cheap; and small\"\nr2,No,\nr3,\"Maybe\",\"I don't know\"\n", ["respondent", "q1", "q2"], [["r1", "Yes, very much", "Because it is fast, cheap; and small"], ["r2", "No", ""], ["r3", "Maybe", "I don't know"]])
case("b_gtfs", "Public transport: no quotes, empty columns, a mark", "\ufeffstop_id,stop_code,stop_name,stop_lat,stop_lon,parent_station\r\nS1,,Main St / 1st Av,40.1,-75.2,\r\nS2,,Oak & Elm,40.2,-75.3,\r\nS3,77,Depot,40.3,-75.4,S1\r\n",
     ["stop_id", "stop_code", "stop_name", "stop_lat", "stop_lon", "parent_station"], [["S1", "", "Main St / 1st Av", "40.1", "-75.2", ""], ["S2", "", "Oak & Elm", "40.2", "-75.3", ""], ["S3", "77", "Depot", "40.3", "-75.4", "S1"]], le="\r\n")
case("b_quote_char_in_header", "Inches in the header", "part,len (\"),wt\nA,5,1.5\nB,7,2.5\nC,9,3.5\n", ["part", "len (\")", "wt"], [["A", "5", "1.5"], ["B", "7", "2.5"], ["C", "9", "3.5"]])
case("b_mixed_quotes", "Both quotes in use: apostrophes are data", "id,say\n1,\"it's, 'fine'\"\n2,'tis\n3,\"rock 'n' roll\"\n", ["id", "say"], [["1", "it's, 'fine'"], ["2", "'tis"], ["3", "rock 'n' roll"]])
# ---- a third round: what strangers' systems write, none of it seen before it was read ------------
case("c_dkb_giro", "DKB: pairs of name and value above, all quoted",
     "\"Kontonummer:\";\"DE12 1203 0000 0012 3456 78 / Girokonto\";\n\n\"Von:\";\"01.01.2024\";\n\"Bis:\";\"31.01.2024\";\n\"Kontostand vom 31.01.2024:\";\"1.234,56 EUR\";\n\n\"Buchungstag\";\"Wertstellung\";\"Buchungstext\";\"Auftraggeber / Begünstigter\";\"Betrag (EUR)\";\n\"31.01.2024\";\"31.01.2024\";\"LASTSCHRIFT\";\"Stadtwerke\";\"-80,00\";\n\"30.01.2024\";\"30.01.2024\";\"GUTSCHRIFT\";\"Firma & Co\";\"2.500,00\";\n\"29.01.2024\";\"29.01.2024\";\"KARTENZAHLUNG\";\"Müller\";\"-12,34\";\n",
     ["Buchungstag", "Wertstellung", "Buchungstext", "Auftraggeber / Begünstigter", "Betrag (EUR)", ""],
     [["31.01.2024", "31.01.2024", "LASTSCHRIFT", "Stadtwerke", "-80,00", ""], ["30.01.2024", "30.01.2024", "GUTSCHRIFT", "Firma & Co", "2.500,00", ""], ["29.01.2024", "29.01.2024", "KARTENZAHLUNG", "Müller", "-12,34", ""]],
     delim=";", enc="windows-1252", pre=6)
case("c_ing_umsatz", "ING: a title, pairs, and a sentence with semicolons above",
     "Umsatzanzeige;Datei erstellt am: 31.01.2024 08:15\n\nIBAN;DE02 5001 0517 5407 3249 31\nKontoname;Girokonto\nBank;ING\nSaldo;1.500,00;EUR\n\nSortierung;Datum absteigend\n\nIn der CSV-Datei finden Sie alle bereits gebuchten Umsätze.\n\nBuchung;Valuta;Auftraggeber/Empfänger;Verwendungszweck;Saldo;Währung;Betrag;Währung\n31.01.2024;31.01.2024;REWE;Einkauf;1.500,00;EUR;-23,10;EUR\n30.01.2024;30.01.2024;Arbeitgeber;Gehalt 01/2024;1.523,10;EUR;1.800,00;EUR\n",
     ["Buchung", "Valuta", "Auftraggeber/Empfänger", "Verwendungszweck", "Saldo", "Währung", "Betrag", "Währung"],
     [["31.01.2024", "31.01.2024", "REWE", "Einkauf", "1.500,00", "EUR", "-23,10", "EUR"], ["30.01.2024", "30.01.2024", "Arbeitgeber", "Gehalt 01/2024", "1.523,10", "EUR", "1.800,00", "EUR"]],
     delim=";", enc="windows-1252", pre=11, quote=ANY)
case("c_bnp", "BNP Paribas: the account in a row above, five cells wide too",
     "Compte de chèques;****1234;31/01/2024;;1 234,56\nDate operation;Libelle court;Type operation;Libelle operation;Montant operation en euro\n30/01/2024;VIR;VIREMENT RECU;VIR DE M DUPONT;150,00\n29/01/2024;CB;FACTURE CARTE;CARREFOUR MARKET;-45,90\n28/01/2024;PRLV;PRELEVEMENT;EDF CLIENTS;-62,11\n",
     ["Date operation", "Libelle court", "Type operation", "Libelle operation", "Montant operation en euro"],
     [["30/01/2024", "VIR", "VIREMENT RECU", "VIR DE M DUPONT", "150,00"], ["29/01/2024", "CB", "FACTURE CARTE", "CARREFOUR MARKET", "-45,90"], ["28/01/2024", "PRLV", "PRELEVEMENT", "EDF CLIENTS", "-62,11"]],
     delim=";", pre=1, quote=ANY)
case("c_revolut", "Revolut", "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\nCARD_PAYMENT,Current,2024-01-30 12:01:22,2024-01-31 03:11:10,Lidl,-12.30,0.00,EUR,COMPLETED,87.70\nTOPUP,Current,2024-01-29 09:00:00,2024-01-29 09:00:05,Top-Up by *1234,100.00,0.00,EUR,COMPLETED,100.00\n",
     ["Type", "Product", "Started Date", "Completed Date", "Description", "Amount", "Fee", "Currency", "State", "Balance"],
     [["CARD_PAYMENT", "Current", "2024-01-30 12:01:22", "2024-01-31 03:11:10", "Lidl", "-12.30", "0.00", "EUR", "COMPLETED", "87.70"], ["TOPUP", "Current", "2024-01-29 09:00:00", "2024-01-29 09:00:05", "Top-Up by *1234", "100.00", "0.00", "EUR", "COMPLETED", "100.00"]], quote=ANY)
case("c_amazon_settlement", "Amazon settlement report: tabs, a totals row first",
     "settlement-id\tsettlement-start-date\tdeposit-date\ttotal-amount\tcurrency\torder-id\tamount\n111\t2024-01-01\t2024-01-15\t1204.55\tEUR\t\t\n111\t\t\t\t\t302-1\t19.99\n111\t\t\t\t\t302-2\t5.00\n",
     ["settlement-id", "settlement-start-date", "deposit-date", "total-amount", "currency", "order-id", "amount"],
     [["111", "2024-01-01", "2024-01-15", "1204.55", "EUR", "", ""], ["111", "", "", "", "", "302-1", "19.99"], ["111", "", "", "", "", "302-2", "5.00"]], delim="\t", quote=ANY)
case("c_amazon_business", "Amazon payments: sentences in quotes above the table",
     "\"Includes Amazon Marketplace, Fulfilment by Amazon (FBA), and Amazon Webstore transactions\"\n\"All amounts in USD, unless specified\"\n\"Definitions:\"\n\"Sales tax collected: Includes sales tax collected from buyers for product sales, shipping, and gift wrap.\"\n\"date/time\",\"settlement id\",\"type\",\"order id\",\"total\"\n\"Jan 1, 2024 12:10:00 AM PST\",\"1001\",\"Order\",\"112-1\",\"12.99\"\n\"Jan 2, 2024 1:22:10 PM PST\",\"1001\",\"Refund\",\"112-2\",\"-5.00\"\n",
     ["date/time", "settlement id", "type", "order id", "total"],
     [["Jan 1, 2024 12:10:00 AM PST", "1001", "Order", "112-1", "12.99"], ["Jan 2, 2024 1:22:10 PM PST", "1001", "Refund", "112-2", "-5.00"]], pre=4)
case("c_shopify_products", "Shopify: HTML in cells, rows of variants half empty",
     "Handle,Title,Body (HTML),Vendor,Variant SKU,Variant Price\nshirt,Shirt,\"<p>Soft, warm &amp; <b>good</b></p>\n<ul><li>\"\"Size\"\"</li></ul>\",ACME,S-1,19.90\nshirt,,,,S-2,19.90\nhat,Hat,<p>Plain</p>,ACME,H-1,9.00\n",
     ["Handle", "Title", "Body (HTML)", "Vendor", "Variant SKU", "Variant Price"],
     [["shirt", "Shirt", "<p>Soft, warm &amp; <b>good</b></p>\n<ul><li>\"Size\"</li></ul>", "ACME", "S-1", "19.90"], ["shirt", "", "", "", "S-2", "19.90"], ["hat", "Hat", "<p>Plain</p>", "ACME", "H-1", "9.00"]])
case("c_ga4", "Google Analytics 4: comments of number signs above",
     "# ----------------------------------------\n# Traffic acquisition\n# Account: Shop\n# Property: Shop - GA4\n# ----------------------------------------\n#\n# All Users\n# Start date: 20240101\n# End date: 20240131\nSession source / medium,Users,Sessions,Engaged sessions\ngoogle / organic,120,150,99\n(direct) / (none),80,95,40\nnewsletter / email,12,13,12\n",
     ["Session source / medium", "Users", "Sessions", "Engaged sessions"],
     [["google / organic", "120", "150", "99"], ["(direct) / (none)", "80", "95", "40"], ["newsletter / email", "12", "13", "12"]], pre=9, comment=ANY, quote=ANY)
case("c_toa5", "Campbell logger TOA5: four lines of head, the names in the second",
     "\"TOA5\",\"Station1\",\"CR1000\",\"12345\",\"CR1000.Std.27\",\"CPU:prog.CR1\",\"4521\",\"Table1\"\n\"TIMESTAMP\",\"RECORD\",\"AirTC_Avg\",\"RH\"\n\"TS\",\"RN\",\"Deg C\",\"%\"\n\"\",\"\",\"Avg\",\"Smp\"\n\"2024-01-01 00:10:00\",0,3.21,88.2\n\"2024-01-01 00:20:00\",1,3.18,88.9\n\"2024-01-01 00:30:00\",2,3.05,89.4\n",
     ["TIMESTAMP", "RECORD", "AirTC_Avg", "RH"],
     [["TS", "RN", "Deg C", "%"], ["", "", "Avg", "Smp"], ["2024-01-01 00:10:00", "0", "3.21", "88.2"]], n=5, pre=1)
case("c_hobo", "HOBO logger: a title in quotes, long names",
     "\"Plot Title: Creek 3\"\n\"#\",\"Date Time, GMT+01:00\",\"Temp, °C (LGR S/N: 100, SEN S/N: 100)\",\"Host Connected\"\n1,01/01/24 12:00:00 AM,4.123,\n2,01/01/24 12:15:00 AM,4.098,\n3,01/01/24 12:30:00 AM,4.011,Logged\n",
     ["#", "Date Time, GMT+01:00", "Temp, °C (LGR S/N: 100, SEN S/N: 100)", "Host Connected"],
     [["1", "01/01/24 12:00:00 AM", "4.123", ""], ["2", "01/01/24 12:15:00 AM", "4.098", ""], ["3", "01/01/24 12:30:00 AM", "4.011", "Logged"]], pre=1)
case("c_worldbank", "World Bank: source and date above, many years, a delimiter at the end",
     "\"Data Source\",\"World Development Indicators\",\n\n\"Last Updated Date\",\"2024-01-31\",\n\n\"Country Name\",\"Country Code\",\"Indicator Name\",\"2019\",\"2020\",\"2021\",\n\"Aruba\",\"ABW\",\"Population, total\",\"106442\",\"106585\",\"106537\",\n\"Zambia\",\"ZMB\",\"Population, total\",\"18380477\",\"18927715\",\"19473125\",\n",
     ["Country Name", "Country Code", "Indicator Name", "2019", "2020", "2021", ""],
     [["Aruba", "ABW", "Population, total", "106442", "106585", "106537", ""], ["Zambia", "ZMB", "Population, total", "18380477", "18927715", "19473125", ""]], pre=4)
case("c_iis_w3c", "IIS log: directives above, the names behind #Fields",
     "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2024-01-31 00:00:00\n#Fields: date time cs-method cs-uri-stem sc-status time-taken\n2024-01-31 00:00:01 GET /index.html 200 15\n2024-01-31 00:00:02 POST /login 302 120\n2024-01-31 00:00:05 GET /a.png 404 3\n",
     ANY, [["2024-01-31", "00:00:01", "GET", "/index.html", "200", "15"], ["2024-01-31", "00:00:02", "POST", "/login", "302", "120"], ["2024-01-31", "00:00:05", "GET", "/a.png", "404", "3"]],
     delim=" ", header=ANY, pre=ANY, comment=ANY, quote=ANY)
case("c_salesforce", "Salesforce: all quoted, ids, rich text",
     "\"Id\",\"Name\",\"Description\",\"CreatedDate\"\n\"0015g00000A1b2CAAR\",\"Edge, Inc.\",\"Line 1\r\nLine 2\",\"2024-01-31T10:11:12.000Z\"\n\"0015g00000A1b2DAAR\",\"Böhm GmbH\",\"\",\"2024-02-01T00:00:00.000Z\"\n",
     ["Id", "Name", "Description", "CreatedDate"],
     [["0015g00000A1b2CAAR", "Edge, Inc.", "Line 1\r\nLine 2", "2024-01-31T10:11:12.000Z"], ["0015g00000A1b2DAAR", "Böhm GmbH", "", "2024-02-01T00:00:00.000Z"]], le=ANY)
case("c_jira", "Jira: the same name for many columns",
     "Summary,Issue key,Status,Labels,Labels,Labels,Sprint,Sprint\n\"Fix login, again\",AB-1,Done,web,auth,,S1,S2\nAdd export,AB-2,To Do,,,,S2,\nDrop IE,AB-3,Done,web,,,S1,\n",
     ["Summary", "Issue key", "Status", "Labels", "Labels", "Labels", "Sprint", "Sprint"],
     [["Fix login, again", "AB-1", "Done", "web", "auth", "", "S1", "S2"], ["Add export", "AB-2", "To Do", "", "", "", "S2", ""], ["Drop IE", "AB-3", "Done", "web", "", "", "S1", ""]])
case("c_redshift_unload", "Redshift UNLOAD with ESCAPE: pipes, backslashes, no header",
     "1|Ann|likes \\| and \\\\|2024-01-31\n2|Bob|two\\\nlines|2024-02-01\n3|Cy|plain|2024-02-02\n4|Di|a \\| b|2024-02-03\n",
     numbered(4), [["1", "Ann", "likes | and \\", "2024-01-31"], ["2", "Bob", "two\nlines", "2024-02-01"], ["3", "Cy", "plain", "2024-02-02"]], n=4, delim="|", escape="\\", quote=ANY, header=False)
case("c_pg_copy", "Postgres COPY in text format: tabs, \\N, no header",
     "1\tAnn\t\\N\t2024-01-31 10:00:00+01\n2\tBob\tt\t2024-02-01 11:30:00+01\n3\tCy\tf\t2024-02-02 12:45:00+01\n",
     numbered(4), [["1", "Ann", "\\N", "2024-01-31 10:00:00+01"], ["2", "Bob", "t", "2024-02-01 11:30:00+01"], ["3", "Cy", "f", "2024-02-02 12:45:00+01"]], delim="\t", header=False, quote=ANY)
case("c_openaddresses", "OpenAddresses: coordinates, many empty cells",
     "LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH\n-1.5490774,53.8007554,12,High St,,Leeds,,,LS1 4DY,,a1b2c3d4e5f60718\n-1.5490700,53.8007500,14,High St,,Leeds,,,LS1 4DY,,b1b2c3d4e5f60718\n",
     ["LON", "LAT", "NUMBER", "STREET", "UNIT", "CITY", "DISTRICT", "REGION", "POSTCODE", "ID", "HASH"],
     [["-1.5490774", "53.8007554", "12", "High St", "", "Leeds", "", "", "LS1 4DY", "", "a1b2c3d4e5f60718"], ["-1.5490700", "53.8007500", "14", "High St", "", "Leeds", "", "", "LS1 4DY", "", "b1b2c3d4e5f60718"]], quote=ANY)
case("c_brazil_excel", "Brazilian Excel: semicolons, windows-1252, currency",
     "Código;Descrição;Preço;Situação\r\n001;Açúcar 1kg;R$ 4,99;Disponível\r\n002;Feijão;R$ 8,50;Indisponível\r\n003;Pão de queijo;R$ 1.012,00;Disponível\r\n",
     ["Código", "Descrição", "Preço", "Situação"],
     [["001", "Açúcar 1kg", "R$ 4,99", "Disponível"], ["002", "Feijão", "R$ 8,50", "Indisponível"], ["003", "Pão de queijo", "R$ 1.012,00", "Disponível"]], enc="windows-1252", delim=";", le="\r\n", quote=ANY)
case("c_hungarian", "Hungarian, windows-1250", "Név;Város;Összeg\r\nKőszegi Ágnes;Győr;1 200,50\r\nFűrész Ödön;Pécs;99,00\r\nŐri Éva;Szeged;15,25\r\n",
     ["Név", "Város", "Összeg"], [["Kőszegi Ágnes", "Győr", "1 200,50"], ["Fűrész Ödön", "Pécs", "99,00"], ["Őri Éva", "Szeged", "15,25"]], enc="windows-1250", delim=";", le="\r\n", quote=ANY)
case("c_ukrainian", "Ukrainian, windows-1251", "Назва;Місто;Ціна\r\nХліб;Київ;12,50\r\nЇжак;Львів;99,00\r\nЄдність;Одеса;7,10\r\n",
     ["Назва", "Місто", "Ціна"], [["Хліб", "Київ", "12,50"], ["Їжак", "Львів", "99,00"], ["Єдність", "Одеса", "7,10"]], enc="windows-1251", delim=";", le="\r\n", quote=ANY)
case("c_baltic", "Lithuanian, windows-1257", "Vardas;Miestas;Suma\r\nŽydrūnas;Šiauliai;10,5\r\nAgnė;Panevėžys;7\r\nDžiugas;Mažeikiai;12\r\nŪla;Klaipėda;3\r\n",
     ["Vardas", "Miestas", "Suma"], [["Žydrūnas", "Šiauliai", "10,5"], ["Agnė", "Panevėžys", "7"], ["Džiugas", "Mažeikiai", "12"]], n=4, enc="windows-1257", delim=";", le="\r\n", quote=ANY)
case("c_vietnamese_utf8", "Vietnamese, UTF-8", "Mã,Tên,Thành phố\n1,Nguyễn Văn A,Hà Nội\n2,Trần Thị B,Đà Nẵng\n",
     ["Mã", "Tên", "Thành phố"], [["1", "Nguyễn Văn A", "Hà Nội"], ["2", "Trần Thị B", "Đà Nẵng"]], quote=ANY)
case("c_arabic_utf8", "Arabic in UTF-8, right to left marks", "\ufeffالاسم,المدينة,العمر\r\nأحمد,القاهرة,30\r\nفاطمة,\u200fالرياض,25\r\n",
     ["الاسم", "المدينة", "العمر"], [["أحمد", "القاهرة", "30"], ["فاطمة", "\u200fالرياض", "25"]], le="\r\n", quote=ANY)
case("c_polish_bank", "mBank: preamble of number signs that are no comments",
     "mBank S.A. Bankowość Detaliczna;\nul. Prosta 18;\n\n#Klient;\nJAN KOWALSKI;\n\n#Za okres:;\n01.01.2024;31.01.2024;\n\n#Data operacji;#Opis operacji;#Rachunek;#Kwota;\n2024-01-30;\"PRZELEW WŁASNY\";\"eKonto 1234\";-100,00 PLN;\n2024-01-29;\"ZAKUP; BIEDRONKA\";\"eKonto 1234\";-45,20 PLN;\n2024-01-28;\"WPŁATA\";\"eKonto 1234\";2 000,00 PLN;\n",
     ["#Data operacji", "#Opis operacji", "#Rachunek", "#Kwota", ""],
     [["2024-01-30", "PRZELEW WŁASNY", "eKonto 1234", "-100,00 PLN", ""], ["2024-01-29", "ZAKUP; BIEDRONKA", "eKonto 1234", "-45,20 PLN", ""], ["2024-01-28", "WPŁATA", "eKonto 1234", "2 000,00 PLN", ""]],
     delim=";", pre=9, comment=None)
case("c_google_contacts", "Google Contacts: many empty columns",
     "Name,Given Name,Family Name,Notes,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Value\nAnn Lee,Ann,Lee,\"Met at expo\nlikes tea\",* myContacts,* ,ann@example.com,+44 20 7946 0000\nBob Ray,Bob,Ray,,* myContacts ::: Work,Work,bob@example.org,\n",
     ["Name", "Given Name", "Family Name", "Notes", "Group Membership", "E-mail 1 - Type", "E-mail 1 - Value", "Phone 1 - Value"],
     [["Ann Lee", "Ann", "Lee", "Met at expo\nlikes tea", "* myContacts", "* ", "ann@example.com", "+44 20 7946 0000"], ["Bob Ray", "Bob", "Ray", "", "* myContacts ::: Work", "Work", "bob@example.org", ""]])
case("c_quote_inches", "Inches and feet: quotation marks that quote nothing",
     "sku,size,price\nA1,24\" monitor,199.00\nA2,27\" monitor,249.00\nA3,6' cable,9.90\n",
     ["sku", "size", "price"], [["A1", "24\" monitor", "199.00"], ["A2", "27\" monitor", "249.00"], ["A3", "6' cable", "9.90"]], quote=ANY)
case("c_apostrophes_semicolon", "Apostrophes in French text quote nothing",
     "nom;ville;métier\nD'Arc;L'Haÿ;l'an 40\nO'Brien;Aix;prof d'anglais\nN'Golo;Nice;'\n", ["nom", "ville", "métier"],
     [["D'Arc", "L'Haÿ", "l'an 40"], ["O'Brien", "Aix", "prof d'anglais"], ["N'Golo", "Nice", "'"]], delim=";", quote=ANY)
case("c_all_numeric_text_header", "Sensor columns named by letters and digits", "t1,t2,t3,t4\n20.1,20.3,19.8,20.0\n20.2,20.4,19.9,20.1\n20.2,20.5,19.9,20.1\n",
     ["t1", "t2", "t3", "t4"], [["20.1", "20.3", "19.8", "20.0"], ["20.2", "20.4", "19.9", "20.1"], ["20.2", "20.5", "19.9", "20.1"]], quote=ANY)
case("c_no_header_transactions", "No header: dates, text, amounts", "2024-01-31,Coffee,3.20\n2024-02-01,Tea,2.80\n2024-02-02,Cake,4.50\n2024-02-03,Juice,3.90\n",
     numbered(3), [["2024-01-31", "Coffee", "3.20"], ["2024-02-01", "Tea", "2.80"], ["2024-02-02", "Cake", "4.50"]], n=4, header=False, quote=ANY)
case("c_no_header_ids_quoted", "No header, all quoted", "\"10001\",\"Ann Lee\",\"ann@example.com\"\n\"10002\",\"Bob Ray\",\"bob@example.org\"\n\"10003\",\"Cy Young\",\"cy@example.net\"\n",
     numbered(3), [["10001", "Ann Lee", "ann@example.com"], ["10002", "Bob Ray", "bob@example.org"], ["10003", "Cy Young", "cy@example.net"]], header=False)
case("c_header_then_units_degrees", "Units in brackets within the names", "time [s];force [N];path [mm]\n0,0;0,12;0,00\n0,1;0,15;0,02\n0,2;0,21;0,05\n",
     ["time [s]", "force [N]", "path [mm]"], [["0,0", "0,12", "0,00"], ["0,1", "0,15", "0,02"], ["0,2", "0,21", "0,05"]], delim=";", quote=ANY)
case("c_tabs_ragged_end", "Tabs, trailing ones left away", "id\tname\tnote\tflag\n1\tAnn\tx\ty\n2\tBob\n3\tCy\tz\n4\tDi\tw\tn\n",
     ["id", "name", "note", "flag"], [["1", "Ann", "x", "y"], ["2", "Bob"], ["3", "Cy", "z"]], n=4, delim="\t", quote=ANY)
case("c_json_payload_pipe", "Pipes with JSON in the last column", "id|type|payload\n1|click|{\"x\": 1, \"y\": [2, 3]}\n2|view|{\"page\": \"a;b, c\"}\n3|click|{\"x\": 9, \"y\": []}\n",
     ["id", "type", "payload"], [["1", "click", "{\"x\": 1, \"y\": [2, 3]}"], ["2", "view", "{\"page\": \"a;b, c\"}"], ["3", "click", "{\"x\": 9, \"y\": []}"]], delim="|", quote=ANY)
case("c_query_urls", "URLs with semicolons, commas and ampersands", "url,hits\nhttps://example.com/a;b?x=1&y=2,10\n\"https://example.com/c,d?z=3;w=4\",7\nhttps://example.org/,3\n",
     ["url", "hits"], [["https://example.com/a;b?x=1&y=2", "10"], ["https://example.com/c,d?z=3;w=4", "7"], ["https://example.org/", "3"]])
case("c_two_col_tab_text", "A glossary: term, tab, sentence with commas", "Term\tDefinition\nlease\tA claim that ends by itself, unless it is renewed.\nfence\tA number, raised with each claim; older ones are refused.\nreject\tA row that was not imported, with its reason.\n",
     ["Term", "Definition"], [["lease", "A claim that ends by itself, unless it is renewed."], ["fence", "A number, raised with each claim; older ones are refused."], ["reject", "A row that was not imported, with its reason."]], delim="\t", quote=ANY)
case("c_one_column_names", "One column with a header, names with commas in quotes", "name\n\"Lee, Ann\"\n\"Ray, Bob\"\n\"Young, Cy\"\n",
     ["name"], [["Lee, Ann"], ["Ray, Bob"], ["Young, Cy"]], delim=ANY)
case("c_one_column_no_header", "One column of numbers alone", "1001\n1002\n1003\n1007\n", numbered(1), [["1001"], ["1002"], ["1003"]], n=4, delim=ANY, quote=ANY, header=False)
case("c_report_footer_generated", "A table with a note and a date below", "Item,Qty,Price\nBolt,10,0.12\nNut,20,0.05\nGear,1,9.90\n,,\nGenerated on 31/01/2024 by ERP,,\n",
     ["Item", "Qty", "Price"], [["Bolt", "10", "0.12"], ["Nut", "20", "0.05"], ["Gear", "1", "9.90"]], n=ANY, quote=ANY)
case("c_sql_nulls_quoted", "NULL as a word, single quotes doubled", "id,name,city\n1,'O''Brien',NULL\n2,'Lee, Ann','Leeds'\n3,'Ray',NULL\n",
     ["id", "name", "city"], [["1", "O'Brien", "NULL"], ["2", "Lee, Ann", "Leeds"], ["3", "Ray", "NULL"]], quote="'")
case("c_excel_decimal_comma_unquoted_semicolon_dates", "Swiss Excel: apostrophes in thousands", "Datum;Betrag;Text\r\n31.01.2024;1'234.50;Miete\r\n01.02.2024;12'000.00;Lohn\r\n02.02.2024;7.20;Znüni\r\n",
     ["Datum", "Betrag", "Text"], [["31.01.2024", "1'234.50", "Miete"], ["01.02.2024", "12'000.00", "Lohn"], ["02.02.2024", "7.20", "Znüni"]], enc="windows-1252", delim=";", le="\r\n", quote=ANY)
case("c_utf16_commas", "UTF-16 LE with commas and no tabs", "\ufeffid,name\r\n1,Zoë\r\n2,Łukasz\r\n".encode("utf-16-le"), ["id", "name"], [["1", "Zoë"], ["2", "Łukasz"]], enc="utf-16le", le="\r\n", quote=ANY)
case("c_utf16be_nobom_tab", "UTF-16 BE without a mark, tabs", "id\tname\tcity\r\n1\tAnn\tYork\r\n2\tBob\tHull\r\n".encode("utf-16-be"), ["id", "name", "city"], [["1", "Ann", "York"], ["2", "Bob", "Hull"]], enc="utf-16be", delim="\t", le="\r\n", quote=ANY)
case("c_weblog_combined", "Combined access log: spaces, brackets, quotes", 
     "203.0.113.9 - ann [31/Jan/2024:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 512 \"-\" \"curl/8.0\"\n203.0.113.10 - - [31/Jan/2024:10:00:01 +0000] \"POST /b HTTP/1.1\" 302 0 \"https://example.com/\" \"Mozilla/5.0 (X11)\"\n203.0.113.11 - - [31/Jan/2024:10:00:02 +0000] \"GET /c HTTP/1.1\" 404 12 \"-\" \"curl/8.0\"\n",
     ANY, ANY, n=3, delim=" ", header=False)
case("c_names_only_header_then_text", "A table of text alone: only the names tell that there is a header", "First Name,Last Name,Department\nAnn,Lee,Sales\nBob,Ray,Legal\nCy,Young,Sales\n",
     ["First Name", "Last Name", "Department"], [["Ann", "Lee", "Sales"], ["Bob", "Ray", "Legal"], ["Cy", "Young", "Sales"]], quote=ANY)
case("c_translations", "Translations: keys with dots, text with everything", "key,en,de\nhome.title,Welcome!,Willkommen!\nhome.lead,\"Fast, safe, cheap\",\"Schnell, sicher, günstig\"\nerr.404,Not found,Nicht gefunden\n",
     ["key", "en", "de"], [["home.title", "Welcome!", "Willkommen!"], ["home.lead", "Fast, safe, cheap", "Schnell, sicher, günstig"], ["err.404", "Not found", "Nicht gefunden"]])
case("c_colon_times_semicolon", "Times with colons and semicolons between", "start;end;who\n08:00;09:30;Ann\n09:30;10:00;Bob\n10:00;12:15;Cy\n",
     ["start", "end", "who"], [["08:00", "09:30", "Ann"], ["09:30", "10:00", "Bob"], ["10:00", "12:15", "Cy"]], delim=";", quote=ANY)
case("c_title_blank_header", "A title, its date, a blank line; cells padded with spaces", "Inventory report\nPrinted 2024-01-31\n\nsku  , qty , price\nA-1  ,  10 ,  1.50\nB-22 ,   3 , 12.00\nC-333, 100 ,  0.05\n",
     ["sku", "qty", "price"], [["A-1", "10", "1.50"], ["B-22", "3", "12.00"], ["C-333", "100", "0.05"]], pre=3, trim=True, quote=ANY)
case("c_r_crosstab", "R's write.csv of a table of counts: names of numbers, in quotes that no count has", "\"\",\"0\",\"1\",\"2\"\n\"0\",27,29,10\n\"1\",59,53,14\n\"2\",28,32,14\n",
     ["", "0", "1", "2"], [["0", "27", "29", "10"], ["1", "59", "53", "14"], ["2", "28", "32", "14"]])
case("c_r_texts", "R's write.csv of texts: the rows' names have none", "\"\",\"Content\"\n\"V1\",\"Do you often long for it?\"\n\"V2\",\"Do you need friends, often?\"\n\"V3\",\"Are you carefree?\"\n",
     ["", "Content"], [["V1", "Do you often long for it?"], ["V2", "Do you need friends, often?"], ["V3", "Are you carefree?"]])
case("c_blank_below_names", "Pairs above, and a blank line between the names and the rows", "Dataset Name:,\"RT1\"\nUnits:,\"See table\"\n====================================\nTable\n              ,\"Area (sq km)\",\"Persons per sq km\",\"Births\"\n\n\"Scotland\",\"78133.00\",\"66.00\",\"116.00\"\n\"Angus\",\"2181.00\",\"51.00\",\"113.00\"\n\"Fife\",\"1323.00\",\"265.00\",\"101.00\"\n",
     ANY, [["Scotland", "78133.00", "66.00", "116.00"], ["Angus", "2181.00", "51.00", "113.00"], ["Fife", "1323.00", "265.00", "101.00"]], pre=4, trim=ANY, comment=ANY)
case("d_paypal", "PayPal activity: all quoted, thousands with commas",
     "\"Date\",\"Time\",\"TimeZone\",\"Name\",\"Type\",\"Status\",\"Currency\",\"Gross\"\n\"01/02/2024\",\"10:00:00\",\"PST\",\"Ann B\",\"Payment\",\"Completed\",\"USD\",\"-12.00\"\n\"01/03/2024\",\"11:00:00\",\"PST\",\"Bob, Inc.\",\"Payment\",\"Completed\",\"USD\",\"1,200.00\"\n",
     ["Date", "Time", "TimeZone", "Name", "Type", "Status", "Currency", "Gross"], [["01/02/2024", "10:00:00", "PST", "Ann B", "Payment", "Completed", "USD", "-12.00"], ["01/03/2024", "11:00:00", "PST", "Bob, Inc.", "Payment", "Completed", "USD", "1,200.00"]])
case("d_sparkasse_camt", "Sparkasse CAMT export: all quoted, semicolons within cells",
     "\"Auftragskonto\";\"Buchungstag\";\"Valutadatum\";\"Buchungstext\";\"Verwendungszweck\";\"Betrag\";\"Waehrung\"\n\"DE12\";\"30.12.23\";\"30.12.23\";\"LASTSCHRIFT\";\"SVWZ+Rechnung 4711; Kunde 12\";\"-12,50\";\"EUR\"\n\"DE12\";\"29.12.23\";\"29.12.23\";\"GUTSCHRIFT\";\"Miete\";\"850,00\";\"EUR\"\n",
     ["Auftragskonto", "Buchungstag", "Valutadatum", "Buchungstext", "Verwendungszweck", "Betrag", "Waehrung"], [["DE12", "30.12.23", "30.12.23", "LASTSCHRIFT", "SVWZ+Rechnung 4711; Kunde 12", "-12,50", "EUR"], ["DE12", "29.12.23", "29.12.23", "GUTSCHRIFT", "Miete", "850,00", "EUR"]], delim=";")
case("d_dkb", "DKB: pairs above, a line of an empty cell, all quoted",
     "\"Girokonto\";\"DE00123\"\n\"Zeitraum:\";\"01.01.2024 - 31.01.2024\"\n\"Kontostand vom 31.01.2024:\";\"1.234,56 €\"\n\"\"\n\"Buchungsdatum\";\"Wertstellung\";\"Status\";\"Zahlungspflichtige*r\";\"Betrag (€)\"\n\"31.01.24\";\"31.01.24\";\"Gebucht\";\"Ann Müller\";\"-3,50\"\n\"30.01.24\";\"30.01.24\";\"Gebucht\";\"Bob\";\"1.000,00\"\n",
     ["Buchungsdatum", "Wertstellung", "Status", "Zahlungspflichtige*r", "Betrag (€)"], [["31.01.24", "31.01.24", "Gebucht", "Ann Müller", "-3,50"], ["30.01.24", "30.01.24", "Gebucht", "Bob", "1.000,00"]], delim=";", pre=4)
case("d_ing_de", "ING: title, pairs, sentences and blank lines above",
     "Umsatzanzeige;Datei erstellt am: 02.02.2024 10:00\n\nIBAN;DE00 1234\nKontoname;Girokonto\nBank;ING\nKunde;Ann Muster\nZeitraum;01.01.2024 - 31.01.2024\nSaldo;1.234,00;EUR\n\nSortierung;Datum absteigend\n\nIn der CSV-Datei finden Sie alle bereits gebuchten Umsätze.\n\nBuchung;Valuta;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung\n31.01.2024;31.01.2024;REWE;Lastschrift;Einkauf;1.234,00;EUR;-20,00;EUR\n30.01.2024;30.01.2024;Arbeitgeber;Gehalt;Januar;1.254,00;EUR;2.000,00;EUR\n",
     ["Buchung", "Valuta", "Auftraggeber/Empfänger", "Buchungstext", "Verwendungszweck", "Saldo", "Währung", "Betrag", "Währung"], [["31.01.2024", "31.01.2024", "REWE", "Lastschrift", "Einkauf", "1.234,00", "EUR", "-20,00", "EUR"], ["30.01.2024", "30.01.2024", "Arbeitgeber", "Gehalt", "Januar", "1.254,00", "EUR", "2.000,00", "EUR"]], enc="windows-1252", delim=";", quote=ANY, pre=13)
case("d_amazon_orders", "Order history: commas, inches and doubled quotes in titles",
     "Order Date,Order ID,Title,Category,ASIN/ISBN,Item Total\n01/05/24,113-123,\"Cable, USB-C, \"\"fast\"\" (2m)\",Electronics,B00X,$12.99\n01/06/24,113-124,Book,Books,0143,$7.50\n",
     ["Order Date", "Order ID", "Title", "Category", "ASIN/ISBN", "Item Total"], [["01/05/24", "113-123", "Cable, USB-C, \"fast\" (2m)", "Electronics", "B00X", "$12.99"], ["01/06/24", "113-124", "Book", "Books", "0143", "$7.50"]])
case("d_ga_export", "Google Analytics: comments above, a second table below",
     "# ----------------------------------------\n# All Web Site Data\n# Pages\n# 20240101-20240131\n# ----------------------------------------\n\nPage,Pageviews,Unique Pageviews\n/index.html,\"1,234\",900\n/about,56,40\n\nDay Index,Pageviews\n1/1/24,100\n1/2/24,120\n",
     ["Page", "Pageviews", "Unique Pageviews"], [["/index.html", "1,234", "900"], ["/about", "56", "40"], ["Day Index", "Pageviews"]], n=5, pre=6)
case("d_jira", "Jira: one name three times, a line break in a cell",
     "Summary,Issue key,Status,Created,Labels,Labels,Labels\n\"Fix login, again\",AB-1,Done,01/Jan/24 9:00 AM,ui,bug,\n\"Line\nbreak\",AB-2,Open,02/Jan/24 1:00 PM,,,\n",
     ["Summary", "Issue key", "Status", "Created", "Labels", "Labels", "Labels"], [["Fix login, again", "AB-1", "Done", "01/Jan/24 9:00 AM", "ui", "bug", ""], ["Line\nbreak", "AB-2", "Open", "02/Jan/24 1:00 PM", "", "", ""]])
case("d_outlook", "Outlook contacts: a mark, notes of two lines",
     "\ufeffFirst Name,Middle Name,Last Name,Company,E-mail Address,Mobile Phone,Notes\r\nAnn,,Lee,Acme,ann@example.com,+1 555,\"likes\r\ntea\"\r\nBob,,Ray,,bob@example.com,,\r\n",
     ["First Name", "Middle Name", "Last Name", "Company", "E-mail Address", "Mobile Phone", "Notes"], [["Ann", "", "Lee", "Acme", "ann@example.com", "+1 555", "likes\r\ntea"], ["Bob", "", "Ray", "", "bob@example.com", "", ""]], le="\r\n")
case("d_vcf_like_tsv", "A header behind a number sign",
     "#CHROM\tPOS\tID\tREF\tALT\nchr1\t100\trs1\tA\tG\nchr1\t200\trs2\tC\tT\n",
     ["#CHROM", "POS", "ID", "REF", "ALT"], [["chr1", "100", "rs1", "A", "G"], ["chr1", "200", "rs2", "C", "T"]], delim="\t", quote=ANY)
case("d_vcf_meta", "Lines of two number signs, a header behind one",
     "##fileformat=VCFv4.2\n##source=x\n#CHROM\tPOS\tID\tREF\tALT\nchr1\t100\trs1\tA\tG\nchr1\t200\trs2\tC\tT\n",
     ["#CHROM", "POS", "ID", "REF", "ALT"], [["chr1", "100", "rs1", "A", "G"], ["chr1", "200", "rs2", "C", "T"]], delim="\t", quote=ANY, pre=2)
case("d_gff", "GFF: a directive above, no header",
     "##gff-version 3\nctg123\t.\tgene\t1000\t9000\t.\t+\t.\tID=gene1\nctg123\t.\tmRNA\t1050\t9000\t.\t+\t.\tID=mRNA1;Parent=gene1\nctg123\t.\texon\t1300\t1500\t.\t+\t.\tID=exon1;Parent=mRNA1\n",
     numbered(9), [["ctg123", ".", "gene", "1000", "9000", ".", "+", ".", "ID=gene1"], ["ctg123", ".", "mRNA", "1050", "9000", ".", "+", ".", "ID=mRNA1;Parent=gene1"], ["ctg123", ".", "exon", "1300", "1500", ".", "+", ".", "ID=exon1;Parent=mRNA1"]], delim="\t", quote=ANY, header=False, pre=1)
case("d_passwd", "/etc/passwd",
     "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nann:x:1000:1000:Ann,,,:/home/ann:/bin/zsh\n",
     numbered(7), [["root", "x", "0", "0", "root", "/root", "/bin/bash"], ["daemon", "x", "1", "1", "daemon", "/usr/sbin", "/usr/sbin/nologin"], ["bin", "x", "2", "2", "bin", "/bin", "/usr/sbin/nologin"]], n=4, delim=":", quote=ANY, header=False)
case("d_apache_clf_space", "Common log format",
     "127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326\n10.0.0.2 - ann [10/Oct/2000:13:56:00 -0700] \"GET /b c HTTP/1.0\" 404 12\n10.0.0.3 - - [10/Oct/2000:13:57:00 -0700] \"POST /x HTTP/1.1\" 302 0\n",
     numbered(8), [["127.0.0.1", "-", "-", "[10/Oct/2000:13:55:36", "-0700]", "GET /a.gif HTTP/1.0", "200", "2326"], ["10.0.0.2", "-", "ann", "[10/Oct/2000:13:56:00", "-0700]", "GET /b c HTTP/1.0", "404", "12"], ["10.0.0.3", "-", "-", "[10/Oct/2000:13:57:00", "-0700]", "POST /x HTTP/1.1", "302", "0"]], delim=" ", header=False)
case("d_sensor_semicolon_decimal", "Decimal commas throughout",
     "Zeit;Temp;Feuchte\n0,0;21,5;40,1\n0,5;21,6;40,2\n1,0;21,7;40,0\n",
     ["Zeit", "Temp", "Feuchte"], [["0,0", "21,5", "40,1"], ["0,5", "21,6", "40,2"], ["1,0", "21,7", "40,0"]], delim=";", quote=ANY)
case("d_french_excel", "French Excel: spaces in phones and thousands",
     "Nom;Prénom;Téléphone;Montant\r\nDupont;Éric;01 23 45 67 89;1 234,50\r\nMartin;Zoé;02 34;12,00\r\n",
     ["Nom", "Prénom", "Téléphone", "Montant"], [["Dupont", "Éric", "01 23 45 67 89", "1 234,50"], ["Martin", "Zoé", "02 34", "12,00"]], enc="windows-1252", delim=";", quote=ANY, le="\r\n")
case("d_utf16le_tab", "Unicode text: UTF-16 LE with a mark",
     "\ufeffName\tOrt\tBetrag\r\nMüller\tKöln\t1,50\r\nGröß\tŁódź\t2,00\r\n".encode("utf-16-le"),
     ["Name", "Ort", "Betrag"], [["Müller", "Köln", "1,50"], ["Größ", "Łódź", "2,00"]], enc="utf-16le", delim="\t", quote=ANY, le="\r\n")
case("d_mac_cr", "Carriage returns alone",
     "id,name\r1,Ann\r2,Bob\r3,Cy\r",
     ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], quote=ANY, le="\r")
case("d_pipe_quotes", "Pipes, one of them in quotes",
     "id|name|note\n1|Ann|\"a|b\"\n2|Bob|c\n",
     ["id", "name", "note"], [["1", "Ann", "a|b"], ["2", "Bob", "c"]], delim="|")
case("d_backslash", "Quotes behind backslashes",
     "id,text\n1,\"say \\\"hi\\\", ok\"\n2,\"plain\"\n3,\"a \\\\ b\"\n",
     ["id", "text"], [["1", "say \"hi\", ok"], ["2", "plain"], ["3", "a \\ b"]], escape="\\")
case("d_single_quoted", "Apostrophes as quotes round commas",
     "id,name,city\n1,'Lee, Ann','Rome'\n2,'Ray, Bob','Oslo'\n",
     ["id", "name", "city"], [["1", "Lee, Ann", "Rome"], ["2", "Ray, Bob", "Oslo"]], quote="'")
case("d_numbers_only", "Numbers alone",
     "1,2,3\n4,5,6\n7,8,9\n",
     numbered(3), [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]], quote=ANY, header=False)
case("d_years_header", "Years as names",
     "Country,2019,2020,2021\nFrance,1.5,2.5,3.5\nItaly,2.0,2.1,2.2\n",
     ["Country", "2019", "2020", "2021"], [["France", "1.5", "2.5", "3.5"], ["Italy", "2.0", "2.1", "2.2"]], quote=ANY)
case("d_one_column_emails", "One column with a name",
     "email\na@example.com\nb@example.com\nc@example.com\n",
     ["email"], [["a@example.com"], ["b@example.com"], ["c@example.com"]], delim=ANY, quote=ANY)
case("d_one_column_noheader", "One column without",
     "a@example.com\nb@example.com\nc@example.com\n",
     numbered(1), [["a@example.com"], ["b@example.com"], ["c@example.com"]], delim=ANY, quote=ANY, header=False)
case("d_total_row", "A total below",
     "Item,Qty,Price\nBolt,5,1.00\nNut,7,2.00\nTotal,12,3.00\n",
     ["Item", "Qty", "Price"], [["Bolt", "5", "1.00"], ["Nut", "7", "2.00"], ["Total", "12", "3.00"]], quote=ANY)
case("d_sap_pipe", "SAP list: drawn lines, pipes at both ends, a minus",
     "----------------------------------\n|Material |Werk |Menge    |ME |\n----------------------------------\n|4711     |1000 |  1.200,0|ST |\n|4712     |1000 |    -20,0|ST |\n----------------------------------\n",
     ["", "Material", "Werk", "Menge", "ME", ""], [["", "4711", "1000", "1.200,0", "ST", ""], ["", "4712", "1000", "-20,0", "ST", ""]], delim="|", quote=ANY, pre=1, trim=True, comment="-")
case("d_psql", "psql: padding, a drawn line, a footer",
     " id | name | amount \n----+------+--------\n  1 | Ann  |   1.50\n  2 | Bob  |  -2.00\n(2 rows)\n",
     ["id", "name", "amount"], [["1", "Ann", "1.50"], ["2", "Bob", "-2.00"], ["(2 rows)"]], delim="|", quote=ANY, trim=True, comment=ANY)
case("d_mysql_tsv", "mysql -B: tabs, \\N, NULL",
     "id\tname\tbio\n1\tAnn\tline\\nbreak\n2\tBob\t\\N\n3\tCy\tNULL\n",
     ["id", "name", "bio"], [["1", "Ann", "line\\nbreak"], ["2", "Bob", "\\N"], ["3", "Cy", "NULL"]], delim="\t", quote=ANY)
case("d_sep_tab", "Excel's hint of a tab",
     "sep=\t\r\na\tb\r\n1\t2\r\n3\t4\r\n",
     ["a", "b"], [["1", "2"], ["3", "4"]], delim="\t", quote=ANY, le="\r\n", pre=1)
case("d_title_blank", "A title and a blank line",
     "Sales report 2024\n\nRegion,Q1,Q2\nNorth,10,20\nSouth,30,40\n",
     ["Region", "Q1", "Q2"], [["North", "10", "20"], ["South", "30", "40"]], quote=ANY, pre=2)
case("d_title_padded", "A title with the delimiters of the table",
     "Sales report 2024,,\n,,\nRegion,Q1,Q2\nNorth,10,20\nSouth,30,40\n",
     ["Region", "Q1", "Q2"], [["North", "10", "20"], ["South", "30", "40"]], quote=ANY, pre=2)
case("d_multi_line_header", "Names of two lines",
     "\"Customer\nname\",\"Order\ndate\",Total\nAnn,2024-01-01,5\nBob,2024-01-02,6\n",
     ["Customer\nname", "Order\ndate", "Total"], [["Ann", "2024-01-01", "5"], ["Bob", "2024-01-02", "6"]])
case("d_cyrillic1251", "Russian in windows-1251",
     "Имя;Город;Сумма\nАнна;Москва;100,50\nБорис;Тверь;200,00\n",
     ["Имя", "Город", "Сумма"], [["Анна", "Москва", "100,50"], ["Борис", "Тверь", "200,00"]], enc="windows-1251", delim=";", quote=ANY)
case("d_sjis", "Japanese in Shift_JIS",
     "名前,住所,金額\n山田太郎,東京都千代田区,1000\n鈴木花子,大阪府大阪市,2000\n佐藤次郎,愛知県名古屋市,3000\n",
     ["名前", "住所", "金額"], [["山田太郎", "東京都千代田区", "1000"], ["鈴木花子", "大阪府大阪市", "2000"], ["佐藤次郎", "愛知県名古屋市", "3000"]], enc="shift_jis", quote=ANY)
case("d_tilde", "Tildes",
     "id~name~qty\n1~Ann~3\n2~Bob~4\n",
     ["id", "name", "qty"], [["1", "Ann", "3"], ["2", "Bob", "4"]], delim="~", quote=ANY)
case("d_caret_edi", "Carets",
     "A^B^C\n1^2^3\n4^5^6\n",
     ["A", "B", "C"], [["1", "2", "3"], ["4", "5", "6"]], delim="^", quote=ANY)
case("d_comment_mid", "The same comment between rows twice",
     "id,v\n1,2\n# sensor reset\n3,4\n# sensor reset\n5,6\n",
     ["id", "v"], [["1", "2"], ["3", "4"], ["5", "6"]], quote=ANY, comment="#")
case("d_ragged_trailing", "A delimiter at every end",
     "a,b,c,\n1,2,3,\n4,5,6,\n",
     ["a", "b", "c", ""], [["1", "2", "3", ""], ["4", "5", "6", ""]], quote=ANY)
case("d_spaces_after_comma", "Spaces between delimiters and quotes",
     "id, name, city\n1, \"Lee, Ann\", Rome\n2, \"Ray, Bob\", Oslo\n",
     ["id", "name", "city"], [["1", "Lee, Ann", "Rome"], ["2", "Ray, Bob", "Oslo"]], trim=True)
case("d_urls_commas", "Semicolons; commas in addresses and titles",
     "url;title\nhttp://a.b/?x=1,2;One, two\nhttp://c.d/?y=3;Three\nhttp://e.f/;Four, five, six\n",
     ["url", "title"], [["http://a.b/?x=1,2", "One, two"], ["http://c.d/?y=3", "Three"], ["http://e.f/", "Four, five, six"]], delim=";", quote=ANY)
case("d_json_cells", "JSON in cells",
     "id,payload\n1,\"{\"\"a\"\": 1, \"\"b\"\": [1,2]}\"\n2,\"{\"\"a\"\": 2}\"\n",
     ["id", "payload"], [["1", "{\"a\": 1, \"b\": [1,2]}"], ["2", "{\"a\": 2}"]])
case("d_html_cells", "HTML in cells",
     "sku;html\nA1;\"<p class=\"\"x\"\">Hi; there</p>\"\nA2;\"<br/>\"\n",
     ["sku", "html"], [["A1", "<p class=\"x\">Hi; there</p>"], ["A2", "<br/>"]], delim=";")
case("d_no_header_mixed", "No header: name, age, date, address",
     "Ann,36,1987-01-02,ann@example.com\nBob,41,1982-11-12,bob@example.com\nCy,29,1994-05-06,cy@example.com\n",
     numbered(4), [["Ann", "36", "1987-01-02", "ann@example.com"], ["Bob", "41", "1982-11-12", "bob@example.com"], ["Cy", "29", "1994-05-06", "cy@example.com"]], quote=ANY, header=False)
case("d_bool_table", "Words and booleans",
     "feature,enabled\nlogin,true\nexport,false\n",
     ["feature", "enabled"], [["login", "true"], ["export", "false"]], quote=ANY)
case("d_text_only", "Words alone, under names",
     "color,animal\nred,cat\nblue,dog\ngreen,owl\n",
     ["color", "animal"], [["red", "cat"], ["blue", "dog"], ["green", "owl"]], quote=ANY)
case("d_time_colon", "Times and semicolons",
     "start;end;who\n10:00:00;11:30:00;Ann\n12:00:00;12:30:00;Bob\n",
     ["start", "end", "who"], [["10:00:00", "11:30:00", "Ann"], ["12:00:00", "12:30:00", "Bob"]], delim=";", quote=ANY)
case("d_trailing_blank", "Blank lines everywhere",
     "\n\nid,name\n\n1,Ann\n\n2,Bob\n\n\n",
     ["id", "name"], [["1", "Ann"], ["2", "Bob"]], quote=ANY, pre=2)
case("d_euro_units", "Amounts with units",
     "Artikel;Preis €;Menge\nSchraube;1,20 €;5 St.\nMutter;0,80 €;7 St.\n",
     ["Artikel", "Preis €", "Menge"], [["Schraube", "1,20 €", "5 St."], ["Mutter", "0,80 €", "7 St."]], delim=";", quote=ANY)
case("d_mixed_le", "Two kinds of line ends",
     "id,name\r\n1,Ann\n2,Bob\r\n3,Cy\n",
     ["id", "name"], [["1", "Ann"], ["2", "Bob"], ["3", "Cy"]], quote=ANY, le="mixed")
case("d_quoted_all_nohdr", "No header, all quoted",
     "\"1\",\"Ann\",\"2024-01-01\"\n\"2\",\"Bob\",\"2024-01-02\"\n\"3\",\"Cy\",\"2024-01-03\"\n",
     numbered(3), [["1", "Ann", "2024-01-01"], ["2", "Bob", "2024-01-02"], ["3", "Cy", "2024-01-03"]], header=False)
case("d_kv_preamble_colon", "Names with colons above",
     "Station: Berlin\nUnit: C\n\ntime,temp\n00:00,1.5\n01:00,1.7\n02:00,1.2\n",
     ["time", "temp"], [["00:00", "1.5"], ["01:00", "1.7"], ["02:00", "1.2"]], quote=ANY, pre=3)
case("d_thousands_in_quotes", "Thousands in quotes",
     "name,amount\nA,\"1,000\"\nB,\"2,500\"\nC,300\n",
     ["name", "amount"], [["A", "1,000"], ["B", "2,500"], ["C", "300"]])
case("d_wide_sparse", "Wide rows, nearly empty",
     "id,a,b,c,d,e,f,g\n1,,,,,,,x\n2,,y,,,,,\n3,,,,,,z,\n",
     ["id", "a", "b", "c", "d", "e", "f", "g"], [["1", "", "", "", "", "", "", "x"], ["2", "", "y", "", "", "", "", ""], ["3", "", "", "", "", "", "z", ""]], quote=ANY)
print(len(SEEN), "files")
