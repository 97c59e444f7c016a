import Testing
import YAML

@Suite("Anchors, aliases and merge keys")
struct AliasTests {
    @Test(
        "an alias expands to the node of its anchor",
        arguments: [
            ("[&a 1, *a]", "[|1|, |1|]"),
            ("{a: &a [1, {b: 2}], c: *a}", "{|a|: [|1|, {|b|: |2|}], |c|: [|1|, {|b|: |2|}]}"),
            ("[&a x, *a, &a y, *a]", "[|x|, |x|, |y|, |y|]"),
            ("[&a [&a x, *a], *a]", "[[|x|, |x|], |x|]"),
            ("[&a [1], &b [*a, *a], *b]", "[[|1|], [[|1|], [|1|]], [[|1|], [|1|]]]"),
            ("[&k key, {*k : 1}]", "[|key|, {|key|: |1|}]"),
            ("{&k key: &v 1, b: *k, c: *v}", "{|key|: |1|, |b|: |key|, |c|: |1|}"),
            ("[&e , *e]", "[||, ||]"),
        ])
    func aliases(yaml: String, shape: String) {
        #expect(soundRoot(yaml)?.shape == shape)
    }

    @Test(
        "a merge key adds the pairs that the mapping does not have",
        arguments: [
            ("{<<: {a: 1, b: 2}, b: 3}", "{|b|: |3|, |a|: |1|}"),
            ("{b: 3, <<: {a: 1, b: 2}}", "{|b|: |3|, |a|: |1|}"),
            ("{<<: [{a: 1}, {a: 2, b: 2}], c: 3}", "{|c|: |3|, |a|: |1|, |b|: |2|}"),
            ("{<<: {<<: {a: 1, b: 1}, b: 2}, c: {<<: {d: 4}}}", "{|c|: {|d|: |4|}, |b|: |2|, |a|: |1|}"),
            ("[&x {a: 1}, {<<: *x, b: 2}]", "[{|a|: |1|}, {|b|: |2|, |a|: |1|}]"),
            (
                "[&x {a: 1}, &y {<<: *x, b: 2}, {<<: *y, a: 3}]",
                "[{|a|: |1|}, {|b|: |2|, |a|: |1|}, {|a|: |3|, |b|: |2|}]"
            ),
            ("[{<<: &x {a: 1}, a: 2}, *x]", "[{|a|: |2|}, {|a|: |1|}]"),
            ("{<<: {}, <<x: 1}", "{|<<x|: |1|}"),
            ("{<<: []}", "{}"),
            ("[&x {a: 1}, {!!merge <<: *x, b: 2}]", "[{|a|: |1|}, {|b|: |2|, |a|: |1|}]"),
            ("[&x {a: 1}, {!!merge '<<': [*x], a: 2}]", "[{|a|: |1|}, {|a|: |2|}]"),
            ("{!<tag:yaml.org,2002:merge> <<: {a: 1}}", "{|a|: |1|}"),
            ("{? !!merge <<\n: {a: 1}}", "{|a|: |1|}"),
            ("{!!str <<: 1}", "{|<<|: |1|}"),
            ("{'<<': 1}", "{|<<|: |1|}"),
            ("[<<, a]", "[|<<|, |a|]"),
            ("{a: <<}", "{|a|: |<<|}"),
        ])
    func merges(yaml: String, shape: String) {
        #expect(soundRoot(yaml)?.shape == shape)
    }

    @Test("a merge key with a tag must have a mapping, and be alone, as one without")
    func taggedMergeKey() {
        #expect(read("{!!merge <<: 1}").errors.map(\.kind) == [.mergeValue])
        #expect(read("{<<: {a: 1}, !!merge <<: {b: 1}}").errors.map(\.kind) == [.duplicateKey])
        #expect(soundRoot("%TAG !y! tag:yaml.org,2002:\n---\n{!y!merge <<: {a: 1}}")?.shape == "{|a|: |1|}")
    }

    @Test("merging leaves the documents around it alone")
    func mergesAmongDocuments() {
        let stream = read("{a: [1]}\n---\n{<<: {b: [2]}, c: 3}\n---\n[4, {d: 5}]\n")
        #expect(stream.errors.isEmpty)
        #expect(
            stream.documents.map { $0.root?.shape } == ["{|a|: [|1|]}", "{|c|: |3|, |b|: [|2|]}", "[|4|, {|d|: |5|}]"])
    }

    @Test("merging faulty mappings reports errors and does not crash")
    func mergesWithErrors() {
        let stream = read("{<<: [1, {a: 1, ? [k] : 2, ? [k] : 3}], a: 4, a: 5, ? {} : 6}")
        #expect(stream.errors.map(\.kind) == [.mergeValue, .nonScalarKey, .nonScalarKey, .duplicateKey, .nonScalarKey])
        #expect(stream.documents.count == 1)
    }
}
