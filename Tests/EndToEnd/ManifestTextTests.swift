import Foundation
import Testing

/// Characters and notations in manifests that people do not see or did not choose.
@Suite("The text of manifests")
struct ManifestTextTests {
    private func user(_ manifest: String) throws -> Program {
        let user = try Program()
        try user.write(Fixture.target(), to: "target.yaml")
        try user.write(manifest, to: "flows.yaml")
        return user
    }

    @Test(
        "a line break that editors do not show cannot turn a comment into a window",
        arguments: [
            ("\u{2028}", "line separator (U+2028)"), ("\u{2029}", "paragraph separator (U+2029)"),
            ("\u{85}", "next-line character (U+0085)"), ("\r", "carriage return (U+000D) without a line feed"),
        ])
    func hiddenLineBreak(character: String, name: String) async throws {
        let hidden = "      # not yet:\(character)        - {start: 1704067200, end: 1704070800}\n"
        let user = try user(Fixture.manifest([Fixture.flow()]) + hidden)
        defer { user.remove() }
        let plan = try await user.run("plan", ".", "--out", "plan.json")
        #expect(plan.status == 65)
        #expect(plan.errors.contains("error[SLU0002]: a \(name) is not allowed"), "\(plan.errors)")
        // Where an editor shows it: in the comment, on the last line.
        #expect(plan.errors.contains("--> flows.yaml:12:17\n"), "\(plan.errors)")
        #expect(plan.errors.contains("12 |       # not yet:"), "\(plan.errors)")
        #expect(!FileManager.default.fileExists(atPath: user.path("plan.json").path))
    }

    private static let lastLine = "  ledger: sqlite:ledger.sqlite"

    @Test(
        "a space that is none to YAML is named, with its place",
        arguments: [
            ("  ledger:\u{A0}sqlite:ledger.sqlite", "no-break space (U+00A0)", 10),
            ("  ledger: sqlite:ledger.sqlite\u{A0}", "no-break space (U+00A0)", 31),
            ("  ledger: sqlite:ledger.sqlite\u{A0}# ours", "no-break space (U+00A0)", 31),
            ("\u{A0} ledger: sqlite:ledger.sqlite", "no-break space (U+00A0)", 1),
            ("  ledger: \"sqlite:ledger.sqlite\"\u{2003}", "em space (U+2003)", 33),
            ("  ledger:\u{3000}sqlite:ledger.sqlite", "ideographic space (U+3000)", 10),
            ("  ledger: \u{200B}sqlite:ledger.sqlite", "zero width space (U+200B)", 11),
        ])
    func unusualSpace(line: String, name: String, column: Int) async throws {
        let user = try user(Fixture.manifest([Fixture.flow()]))
        defer { user.remove() }
        try user.write(Fixture.target().replacing(Self.lastLine, with: line), to: "target.yaml")
        let result = try await user.run("plan", ".")
        #expect(result.status == 65)
        #expect(result.errors.contains("error[SLU0001]: the \(name) is not a space in YAML\n"), "\(result.errors)")
        #expect(result.errors.contains("--> target.yaml:8:\(column)\n"), "\(result.errors)")
        #expect(result.errors.contains("help: replace it with a space or remove it"), "\(result.errors)")
    }

    @Test("an invisible character in a faulty key or value is named")
    func invisibleCharacter() async throws {
        let user = try user(
            Fixture.manifest([Fixture.flow()]).replacing("source: table", with: "source: ta\u{AD}ble")
                + "  sche\u{200B}dule: 1\n")
        defer { user.remove() }
        let result = try await user.run("validate", ".")
        #expect(
            result.errors.contains(
                "note: the text contains an unusual character: soft hyphen (U+00AD)\n --> flows.yaml:8:17\n"),
            "\(result.errors)")
        #expect(
            result.errors.contains(
                "note: the text contains an unusual character: zero width space (U+200B)\n  --> flows.yaml:12:7\n"),
            "\(result.errors)")
    }

    @Test("a character that changes the direction of writing is refused, and a mark that only names one is not")
    func direction() async throws {
        for (character, status) in [("\u{202E}", 65), ("\u{2066}", 65), ("\u{200F}", 0)] as [(String, Int32)] {
            let user = try user(Fixture.manifest([Fixture.flow()]) + "# \(character)שלום\n")
            defer { user.remove() }
            let result = try await user.run("validate", ".")
            #expect(result.status == status, "\(result.errors)")
            #expect(status == 0 || result.errors.contains("--> flows.yaml:12:3\n"), "\(result.errors)")
        }
    }

    @Test("a byte order mark where two files were joined is named, with its place")
    func byteOrderMark() async throws {
        let user = try user("\u{FEFF}" + Fixture.target() + "---\n\u{FEFF}" + Fixture.manifest([Fixture.flow()]))
        defer { user.remove() }
        let result = try await user.run("validate", "flows.yaml")
        #expect(result.status == 65)
        #expect(
            result.errors.contains("error[SLU0002]: a byte order mark (U+FEFF) is allowed only at the start of a file"))
        #expect(result.errors.contains("--> flows.yaml:11:1\n"), "\(result.errors)")
    }

    @Test("lines of diagnostics are those of editors, also with CRLF", arguments: ["\n", "\r\n"])
    func lines(lineEnd: String) async throws {
        let text = (Fixture.manifest([Fixture.flow()]) + "  nonsense: 1\n").replacing("\n", with: lineEnd)
        let user = try user(text)
        defer { user.remove() }
        let result = try await user.run("validate", ".")
        #expect(result.errors.contains("--> flows.yaml:12:3\n"), "\(result.errors)")
        #expect(result.errors.contains("12 |   nonsense: 1\n"), "\(result.errors)")
    }

    @Test("a merge key with the tag that yq and yamlfmt write is a merge key", arguments: ["!!merge <<", "<<"])
    func mergeKey(key: String) async throws {
        let user = try user(
            """
            apiVersion: sluice/v1
            kind: RunManifest
            metadata: {name: flows}
            spec:
              target: test
              flows:
                - &base
                  flowId: \(Fixture.id(1))
                  source: file
                  windows: [{start: 1704067200, end: 1704070800}]
                - \(key): *base
                  flowId: \(Fixture.id(2))
                - {\(key): [*base, {priority: 3}], flowId: \(Fixture.id(3))}

            """)
        defer { user.remove() }
        let plan = try await user.run("plan", ".")
        #expect(plan.status == 0, "\(plan.errors)")
        #expect(plan.output.contains("Plan: 3 to request."), "\(plan.output)")
    }
}
