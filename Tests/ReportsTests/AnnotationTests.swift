import Foundation
import Manifests
import Testing

@testable import Reports

@Suite("Annotations in manifests, and diagnostics as JSON")
struct AnnotationTests {
    @Test("annotations contain a plan's diagnostics and a notice per flow with requests, golden")
    func golden() throws {
        let plan = Sample.plan([Sample.firstRun, Sample.troubled, Sample.broken, Sample.quiet])
        try expectGolden(PlanReport(plan).written(.github), "annotations.txt")
        try expectGolden(DiagnosticsReport(plan.diagnostics, sources: []).written(.json), "diagnostics.json")
    }

    private func annotations(_ diagnostics: [Diagnostic]) -> String {
        DiagnosticsReport(diagnostics, sources: []).written(.github)
    }

    @Test("percent signs, colons and commas are escaped like in GitHub's toolkit, and line breaks are replaced")
    func escaping() {
        let place = Place(file: "a,b:c%.yaml", line: 3, column: 2)
        let diagnostic = Diagnostic(.syntax, at: place, "50%, one: two\r\nthree::error::four")
        #expect(
            annotations([diagnostic])
                == "::error file=a%2Cb%3Ac%25.yaml,line=3,col=2,title=SLU0001::50%25, one: two␍␊three::error::four\n"
        )
    }

    @Test("the comment on manifests with errors lists the errors first, and counts those that do not fit")
    func comment() {
        let warning = Diagnostic(.farFuture, .warning, at: nil, "far")
        let error = Diagnostic(.syntax, at: Place(file: "a.yaml", line: 3, column: 2), "x < y", suggestion: "quote it")
        func written(_ diagnostics: [Diagnostic]) -> String {
            DiagnosticsReport(diagnostics, sources: []).written(.markdown)
        }
        let expected = """
            <!-- sluice:plan -->
            ### 🛑 Sluice cannot plan: 1 error in the manifests

            - 🛑 **SLU0001** `a.yaml:3:2`: x &lt; y _(quote it)_
            - ⚠️ **SLU0112** far

            """
        #expect(written([warning, error]) == expected)
        let many = written(Array(repeating: error, count: 5_000))
        #expect(many.utf8.count <= 60_000)
        #expect(many.hasSuffix("\n_Left out for length: \(5_000 - many.matches(of: /- 🛑/).count)._\n"))
    }

    @Test("errors come before warnings, since GitHub shows only the first few")
    func order() {
        let warning = Diagnostic(.farFuture, .warning, at: nil, "w")
        let error = Diagnostic(.syntax, at: nil, "e")
        #expect(annotations([warning, error]).hasPrefix("::error title=SLU0001::e\n::warning "))
    }
}
