import Manifests
import Reports
import Testing

@Suite("Diagnostics as text")
struct DiagnosticTextTests {
    private func shown(
        _ line: String, column: Int, length: Int, color: Bool = false, message: String = "wrong"
    ) -> [String] {
        let place = Place(file: "a.yaml", line: 1, column: column, length: length)
        let diagnostic = Diagnostic(.wrongType, at: place, message)
        let source = SourceFile(path: "a.yaml", bytes: Array(line.utf8))
        return shownText([diagnostic], sources: [source], color: color).split(separator: "\n").map(String.init)
    }

    @Test("the carets underline the place")
    func caret() {
        #expect(
            shown("key: value", column: 6, length: 5) == [
                "error[SLU0103]: wrong", " --> a.yaml:1:6", "  |", "1 | key: value", "  |      ^^^^^", "1 error",
            ])
    }

    @Test("a tab takes four columns, and a wide character two")
    func widths() {
        #expect(shown("\tkey: 連絡先 🎉", column: 7, length: 3)[3...4] == ["1 |     key: 連絡先 🎉", "  |          ^^^^^^"])
        #expect(shown("e\u{301}: x", column: 5, length: 1)[4] == "  |    ^")
    }

    @Test("control characters are made visible in the line, the message and the path")
    func controls() {
        let lines = shown("a: \u{1B}[31m\u{202E}", column: 4, length: 1, message: "no \u{7}")
        #expect(lines[0] == "error[SLU0103]: no ␇")
        #expect(lines[3] == "1 | a: ␛[31m\u{FFFD}")
    }

    @Test("a long line is shortened around the place", arguments: [1, 50, 99, 5000, 9990])
    func longLines(column: Int) throws {
        let line = (0..<1000).map { _ in "0123456789" }.joined()
        let lines = shown(line, column: column, length: 3)
        #expect(lines[3].count <= 106)
        let caret = try #require(lines[4].firstIndex(of: "^"))
        let offset = lines[4].distance(from: lines[4].startIndex, to: caret)
        let marked = lines[3].dropFirst(offset).prefix(3)
        #expect(marked == line.dropFirst(column - 1).prefix(3))
    }

    @Test("a password in the line is hidden for any diagnostic")
    func passwords() {
        let lines = shown("{ledger: postgres://me:hunter2@db/x, foo: 1}", column: 38, length: 3)
        #expect(lines[3] == "1 | {ledger: postgres://me:*******@db/x, foo: 1}")
    }

    @Test("a place beyond the line or the file is accepted", arguments: [(1, 500), (99, 1)])
    func beyond(line: Int, column: Int) {
        let place = Place(file: "a.yaml", line: line, column: column, length: 10_000)
        let source = SourceFile(path: "a.yaml", bytes: Array("short".utf8))
        let shown = shownText([Diagnostic(.syntax, at: place, "wrong")], sources: [source], color: false)
        #expect(shown.hasPrefix("error[SLU0001]: wrong\n"))
        #expect(shown.count < 200)
    }

    @Test("lines end where editors end them, and other line breaks are shown as characters")
    func lineBreaks() {
        let source = SourceFile(path: "a.yaml", bytes: Array("one\r\ntwo\nthree\rfour\u{2028}five\u{85}six".utf8))
        for (index, line) in ["one", "two", "three␍four�five�six"].enumerated() {
            let place = Place(file: "a.yaml", line: index + 1, column: 1, length: 3)
            let shown = shownText([Diagnostic(.syntax, at: place, "wrong")], sources: [source], color: false)
            #expect(shown.contains("\(index + 1) | \(line)\n  | ^^^\n"))
        }
    }

    @Test("notes show their own places, and the end counts errors and warnings")
    func notes() {
        let source = SourceFile(path: "a.yaml", bytes: Array((1...10).map { "line \($0)\n" }.joined().utf8))
        let note = Diagnostic.Note(place: Place(file: "a.yaml", line: 2, column: 6), message: "first here")
        let diagnostics = [
            Diagnostic(
                .syntax, at: Place(file: "a.yaml", line: 10, column: 6, length: 2), "twice", suggestion: "remove one",
                notes: [note]),
            Diagnostic(.farFuture, .warning, at: nil, "odd"), Diagnostic(.farFuture, .warning, at: nil, "odd"),
        ]
        #expect(
            shownText(diagnostics, sources: [source], color: false) == """
                error[SLU0001]: twice
                  --> a.yaml:10:6
                   |
                10 | line 10
                   |      ^^
                   = help: remove one
                note: first here
                  --> a.yaml:2:6
                   |
                 2 | line 2
                   |      ^

                warning[SLU0112]: odd

                warning[SLU0112]: odd

                1 error, 2 warnings

                """)
    }

    @Test("colours are used only if enabled")
    func colors() {
        #expect(!shown("key: value", column: 6, length: 5).joined().contains("\u{1B}"))
        #expect(
            shown("key: value", column: 6, length: 5, color: true)[0].hasPrefix("\u{1B}[1;31merror[SLU0103]\u{1B}[0m"))
    }

    @Test("without diagnostics, the text is empty")
    func nothing() {
        #expect(shownText([], sources: [], color: true) == "")
    }
}

private func shownText(_ diagnostics: [Diagnostic], sources: [SourceFile], color: Bool) -> String {
    DiagnosticsReport(diagnostics, sources: sources).written(.text, TextStyle(color: color))
}
