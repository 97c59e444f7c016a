import Crypto
import FlowRuns
import Foundation
import Manifests
import TestSupport
import Testing

@testable import Reports

/// The markup of the page: what a browser may load, what works without scripts, and whether colours are
/// distinguishable.
@Suite("The coverage page as a document")
struct CoveragePageTests {
    static let page = CoverageReport(
        target: "prod \"&\"", asOf: Sample.asOf,
        flows: [
            FlowCoverage(Sample.troubled, runs: Sample.troubled.undeclared),
            FlowCoverage(
                Sample.flow(3, "<script>alert('x')</script>", recorded: 1),
                runs: [Sample.run(3, Sample.window(Sample.newYear, Sample.day), .failed, id: "run-3")],
                refreshedAt: Sample.asOf - .seconds(60)),
            FlowCoverage(Sample.quiet, runs: []),
        ], runLink: try? RunLink("https://example.org/runs/{run}")
    ).written(.html)

    /// Returns the contents of the elements with this name, such as style and script, which have no attributes.
    private func contents(_ name: String) throws -> [String] {
        try Self.page.matches(of: Regex("<\(name)>(.*?)</\(name)>").dotMatchesNewlines()).map {
            String(try #require($0[1].substring))
        }
    }

    @Test("the page without its style and script, golden")
    func golden() throws {
        let own = Self.page.replacing(#/<(style|script)>.*?<\/(style|script)>/#.dotMatchesNewlines(), with: "…")
            .replacing(#/sha256-[A-Za-z0-9+\/=]*/#, with: "sha256-…")
        try expectGolden(own, "coverage.html")
    }

    @Test("elements are properly nested, and names from outside do not create elements")
    func wellFormed() throws {
        let markup = Self.page.replacing(#/<(style|script)>.*?<\/(style|script)>/#.dotMatchesNewlines(), with: "")
        var open: [Substring] = []
        for match in markup.matches(of: #/<(\/?)([a-zA-Z0-9]+)((?:\s+[-a-zA-Z0-9]+="[^"<>]*")*)(\/?)>/#) {
            let (_, close, name, _, void) = match.output
            if name == "meta" || name == "input" || void == "/" { continue }
            if close.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
        }
        #expect(open == [])
        // The rest contains only text, without further angle brackets.
        let rest = markup.replacing(#/<(\/?)([a-zA-Z0-9]+)((?:\s+[-a-zA-Z0-9]+="[^"<>]*")*)(\/?)>/#, with: "")
        #expect(!rest.replacing("<!DOCTYPE html>", with: "").contains { "<>".contains($0) })
        #expect(try contents("script").count == 1)
    }

    @Test("the security policy allows only the page's own style and script")
    func policy() throws {
        let policy = try #require(Self.page.firstMatch(of: #/Security-Policy" content="([^"]*)"/#)?.output.1)
            .replacing("&#39;", with: "'")
        for name in ["style", "script"] {
            let hash = Data(SHA256.hash(data: Data(try #require(contents(name).first).utf8))).base64EncodedString()
            #expect(policy.contains("\(name)-src 'sha256-\(hash)'"))
        }
        #expect(policy.hasPrefix("default-src 'none'; "))
        let page = try Self.page.replacing(contents("script")[0], with: "").replacing(contents("style")[0], with: "")
        #expect(!page.contains(#/\s(src|style|on[a-z]+)=/#) && !page.contains("<link"))
        #expect(try !contents("style")[0].contains(#/@import|https?:|url\((?!#)/#))
        #expect(try !contents("script")[0].contains(#/https?:\/\/(?!www\.w3\.org\/2000\/svg)|innerHTML|eval|fetch\(/#))
    }

    @Test("without scripts, all contents are visible and all controls are hidden")
    func withoutScripts() throws {
        #expect(Self.page.contains(#/<div id="tools"[^>]* hidden="">/#))
        let tools = try #require(Self.page.firstRange(of: "<div id=\"tools\""))
        let rest = Self.page[tools.upperBound...]
        let end = try #require(rest.firstRange(of: "<ul class=\"legend\""))
        #expect(!rest[end.lowerBound...].contains("<button") && !rest[end.lowerBound...].contains("<input"))
        for wanted in ["class=\"lane\"", "id=\"row-3abea21c-7e36-4be1-bec1-000000000003\"", "run-3"] {
            #expect(rest.contains(wanted))
        }
    }

    @Test("run IDs are links if the target has a template, and cannot inject anything into the link")
    func runLinks() throws {
        #expect(
            Self.page.contains("<a class=\"run\" href=\"https://example.org/runs/run-3\" rel=\"noreferrer\">run-3</a>"))
        let hostile = FlowCoverage(
            Sample.flow(3, "x"),
            runs: [Sample.run(3, Sample.window(Sample.newYear, Sample.day), .failed, id: "../a?b=\"<c>{run}")])
        let link = try RunLink("https://example.org/{run}?again={run}")
        let page = CoverageReport(target: "prod", asOf: Sample.asOf, flows: [hostile], runLink: link).written(.html)
        let id = "..%2Fa%3Fb%3D%22%3Cc%3E%7Brun%7D"
        #expect(page.contains("href=\"https://example.org/\(id)?again=\(id)\""))
        let plain = CoverageReport(target: "prod", asOf: Sample.asOf, flows: [hostile]).written(.html)
        #expect(!plain.contains("<a class=\"run\"") && plain.contains("<code class=\"run\">"))
    }

    @Test("every control has a label, every table has a head, and heading levels have no gaps")
    func labels() {
        for input in Self.page.matches(of: #/<input[^>]*>/#) {
            let before = Self.page[..<input.range.lowerBound]
            let opened = before.ranges(of: "<label").last?.lowerBound
            let closed = before.ranges(of: "</label>").last?.upperBound
            #expect(opened != nil && (closed.map { $0 <= opened ?? $0 } ?? true), "\(input.output)")
        }
        #expect(Self.page.matches(of: #/<h([1-6])/#).map(\.output.1) == ["1", "2"])
        #expect(Self.page.ranges(of: "<table").count == Self.page.ranges(of: "<thead>").count)
        #expect(Self.page.contains("<html lang=\"en\">"))
    }

    @Test("text and marks have enough contrast in both colour schemes", arguments: [0, 1])
    func contrast(scheme: Int) throws {
        let css = try #require(contents("style").first)
        let blocks = css.matches(of: #/:root \{(.*?)\}/#.dotMatchesNewlines()).map(\.output.1)
        let colors = Dictionary(
            try #require(blocks.count == 2 ? blocks[scheme] : nil).matches(of: #/--([-a-z]+): (#[0-9a-f]{6});/#).map {
                (String($0.output.1), luminance($0.output.2))
            }
        ) { first, _ in first }
        func ratio(_ one: String, _ other: String) throws -> Double {
            let (one, other) = (try #require(colors[one]), try #require(colors[other]))
            return (max(one, other) + 0.05) / (min(one, other) + 0.05)
        }
        for text in ["ink", "soft", "link", "alarm"] {
            for ground in ["paper", "band"] { #expect(try ratio(text, ground) >= 4.5, "\(text) on \(ground)") }
        }
        for mark in ["succeeded", "running", "partial", "planned-edge", "gap-edge", "held", "failed", "edge"] {
            for ground in ["paper", "band"] { #expect(try ratio(mark, ground) >= 3, "\(mark) on \(ground)") }
        }
    }

    /// Returns the relative luminance as defined by WCAG 2.
    private func luminance(_ hex: Substring) -> Double {
        let number = Int(hex.dropFirst(), radix: 16) ?? 0
        let parts = [16, 8, 0].map { shift -> Double in
            let part = Double(number >> shift & 255) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
}
