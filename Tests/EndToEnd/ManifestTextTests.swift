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
