import Foundation
import Manifests
import Testing

@testable import Reports

@Suite("annotations on manifests' lines, and diagnostics as JSON")
struct AnnotationTests {
    @Test("a plan's diagnostics and a notice for each flow with requests, golden")
    func golden() throws {
        let plan = Sample.plan([Sample.firstRun, Sample.troubled, Sample.broken, Sample.quiet])
        try expectGolden(GitHubAnnotations().render(plan), "annotations.txt")
        try expectGolden(text(diagnosticsJSON(plan.diagnostics)), "diagnostics.json")
    }

    @Test("line breaks, percent signs, colons and commas are escaped as GitHub's toolkit does")
    func escaping() {
        let place = Place(file: "a,b:c%.yaml", line: 3, column: 2)
        let diagnostic = Diagnostic(.syntax, at: place, "50%, one: two\r\nthree::error::four")
        #expect(
            GitHubAnnotations().render([diagnostic])
                == "::error file=a%2Cb%3Ac%25.yaml,line=3,col=2,title=SLU0001::50%25, one: two%0D%0Athree::error::four\n"
        )
    }

    @Test("errors come before warnings, since GitHub shows only the first few")
    func order() {
        let warning = Diagnostic(.farFuture, .warning, at: nil, "w")
        let error = Diagnostic(.syntax, at: nil, "e")
        #expect(GitHubAnnotations().render([warning, error]).hasPrefix("::error title=SLU0001::e\n::warning "))
    }
}
