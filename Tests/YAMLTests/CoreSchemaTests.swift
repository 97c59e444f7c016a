import Testing
import YAML

@Suite("The core schema")
struct CoreSchemaTests {
    @Test(
        "plain scalars have the types of the core schema",
        arguments: [
            ("null", .null), ("Null", .null), ("NULL", .null), ("~", .null), ("", .null), ("nULL", .string),
            ("true", .bool), ("True", .bool), ("FALSE", .bool), ("tRUE", .string), ("yes", .string), ("no", .string),
            ("on", .string), ("off", .string), ("y", .string), ("NO", .string), ("0", .int), ("-0", .int),
            ("+12", .int), ("007", .int), ("0o17", .int), ("0xfF", .int), ("0o8", .string), ("0x", .string),
            ("0xG", .string), ("-0x1", .string), ("1_000", .string), ("99999999999999999999", .int), ("1.5", .float),
            (".5", .float), ("5.", .float), ("-1e3", .float), ("1E+3", .float), ("1e", .string), (".", .string),
            ("+", .string), ("e3", .string), (".inf", .float), ("-.INF", .float), (".nan", .float),
            ("+.nan", .string), ("inf", .string), ("nan", .string), ("0x1p3", .string), ("1.2.3", .string),
            ("12:30:45", .string), ("2024-01-01", .string), ("1 2", .string), ("'1'", .string), ("\"true\"", .string),
            ("''", .string), ("!!str 1", .string), ("!!int '1'", .int), ("!!bool 'true'", .bool), ("! 1", .string),
            ("|\n 1", .string), ("[]", .string),
        ] as [(String, SchemaType)])
    func types(yaml: String, type: SchemaType) throws {
        let node = try #require(soundRoot("k: " + yaml)?["k"])
        #expect(node.schemaType == type)
        #expect(node.isNull == (type == .null))
        #expect((node.bool != nil) == (type == .bool))
    }

    @Test(
        "integers are read exactly, or not at all",
        arguments: [
            ("1651584991", 1_651_584_991), ("-5", -5), ("+5", 5), ("0o17", 15), ("0xFf", 255), ("007", 7),
            ("9223372036854775807", .max), ("-9223372036854775808", .min), ("0x7FFFFFFFFFFFFFFF", .max),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("0xFFFFFFFFFFFFFFFF", nil), ("1.0", nil),
            ("1e3", nil), ("'1'", nil), ("true", nil),
        ] as [(String, Int64?)])
    func integers(yaml: String, value: Int64?) throws {
        #expect(try #require(soundRoot("k: " + yaml)?["k"]).int64 == value)
    }

    @Test(
        "numbers are read as the nearest double",
        arguments: [
            ("1", 1), ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("-1e3", -1_000), ("0x10", 16), (".inf", .infinity),
            ("-.inf", -.infinity), ("99999999999999999999", 1e20), ("'1'", nil), ("x", nil), ("~", nil),
        ] as [(String, Double?)])
    func doubles(yaml: String, value: Double?) throws {
        #expect(try #require(soundRoot("k: " + yaml)?["k"]).double == value)
    }

    @Test("only true and false are Booleans, in three spellings each")
    func truth() throws {
        let root = try #require(soundRoot("[true, True, TRUE, false, False, FALSE, yes, 'true', 1]"))
        #expect(root.elements.map(\.bool) == [true, true, true, false, false, false, nil, nil, nil])
    }
}
