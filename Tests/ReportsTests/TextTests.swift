import Testing

@testable import Reports

@Suite("Tables, bars and durations")
struct TextTests {
    @Test("columns are aligned by display width, including wide characters")
    func wideCharacters() {
        var table = TextTable([.init("name"), .init("count", .right)], style: TextStyle())
        table.add(["受注", "1"])
        table.add(["ab", "200"])
        #expect(table.lines.page == "name  count\n受注      1\nab      200\n")
    }

    @Test("flexible columns are shortened in the middle until the table fits")
    func fitting() {
        var table = TextTable([.init("id"), .init("path", isShrinkable: true)], style: TextStyle(width: 40))
        table.add(["12345678", "a/very/long/path/to/some/manifest/file.yaml"])
        let lines = table.lines.map(\.line)
        #expect(lines.allSatisfy { $0.count <= 40 })
        #expect(lines[1] == "12345678  a/very/long/pat…fest/file.yaml")
    }

    @Test("text that is too long for the first column is on its own line")
    func longName() {
        var table = TextTable(
            [.init("flow", isShrinkable: true), .init("due", .right), .init("behind")], style: TextStyle(width: 40))
        table.add(["a", "1", "none"])
        table.add(["marketing-automation-campaign-members", "2,000", "5 windows, 5d"])
        let lines = table.lines.map(\.line)
        #expect(
            lines.map { $0.split(separator: " ").first } == [
                "flow", "a", "marketing-automation-campaign-members", "2,000",
            ])
        #expect(lines.allSatisfy { $0.count <= 40 })
        #expect(lines[3].hasSuffix("2,000  5 windows, 5d"))
    }

    @Test("lines have no trailing spaces")
    func noTrailingSpace() {
        var table = TextTable([.init("a"), .init("b"), .init("c", .right)], style: TextStyle())
        table.add(["x", "", ""])
        #expect(table.lines.page == "a  b  c\nx\n")
    }

    @Test("a progress bar shows counts, rate and remaining time")
    func bar() {
        let style = TextStyle(width: 72)
        func bar(_ done: Int, failed: Int = 0, _ elapsed: Int64) -> String {
            ProgressBar(done: done, total: 1000, failed: failed, elapsed: .milliseconds(elapsed)).line(style).line
        }
        #expect(bar(0, 0).hasSuffix("0/1,000  0%"))
        #expect(bar(340, 70_000).hasSuffix("340/1,000  34%  4.8/s  2m 16s left"))
        #expect(bar(1000, failed: 3, 70_000).hasSuffix("1,000/1,000  100%  3 failed  14/s"))
        #expect(bar(340, 70_000).columns <= 72)
        let ascii = ProgressBar(done: 1, total: 2, elapsed: .milliseconds(1000)).line(
            TextStyle(width: 60, unicode: false))
        #expect(ascii.line.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("a bar handles zero and impossible numbers")
    func oddBars() {
        #expect(ProgressBar(done: 0, total: 0, elapsed: .seconds(0)).line(TextStyle()).line.contains("100%"))
        #expect(ProgressBar(done: 5, total: 2, elapsed: .milliseconds(1)).line(TextStyle(width: 40)).columns <= 40)
        #expect(ProgressBar(done: 1, total: .max, elapsed: .seconds(Int64.max)).timeLeft == nil)
    }

    @Test("a terminal shows progress after a second, in a bar that is cleared at the end")
    func progressOnTerminal() {
        var display = ProgressDisplay("read", isTerminal: true)
        func advance(to done: Int, after milliseconds: Int) -> String? {
            display.advance(to: done, of: 200, elapsed: .milliseconds(milliseconds), TextStyle(width: 60))?.line
        }
        #expect(advance(to: 10, after: 900) == nil)
        let isShownSoon = display.end()
        #expect(!isShownSoon, "a short command shows no bar")
        #expect(advance(to: 20, after: 1000)?.hasSuffix("20/200  10%  20/s  9s left") == true)
        #expect(advance(to: 21, after: 1050) == nil, "the bar is drawn ten times a second at most")
        #expect(advance(to: 22, after: 1100) != nil)
        #expect(display.done == 22)
        #expect(advance(to: 200, after: 2000) == nil, "the end of the command says the same")
        let ends = [display.end(), display.end()]
        #expect(ends == [true, false])
    }

    @Test("a pipe gets a line every five seconds, and nothing to clear")
    func progressInPipe() {
        var display = ProgressDisplay("read", isTerminal: false)
        let lines = (1...12).map { second in
            display.advance(to: second * 100, of: 2000, elapsed: .seconds(second), TextStyle())?.line
        }
        #expect(lines.compactMap(\.self) == ["500 of 2,000 flows read", "1,000 of 2,000 flows read"])
        #expect(!display.isBarShown)
    }

    @Test(
        "duration text", arguments: [(0, "0s"), (59, "59s"), (3600, "1h"), (90_000, "1d 1h"), (86_400 * 366, "366d")])
    func spans(_ seconds: Int64, _ text: String) {
        #expect(spanText(.seconds(seconds)) == text)
        #expect(spanText(.seconds(14_900_000_000)) == "472 years")
    }

    @Test("a message is wrapped between words, keeps its colours, and never loses a part of a path")
    func messages() {
        let style = TextStyle(color: true, width: 40)
        let path = String(repeating: "folder/", count: 10)
        let line: StyledText = "  - \(style.paint("error", .error)): cannot write '\(path)' because it is missing"
        #expect(
            style.wrap(line).map(\.line) == [
                "  - \u{1B}[1;31merror\u{1B}[0m: cannot write", "    '\(path)'", "    because it is missing",
            ])
        #expect(TextStyle().wrap(line) == [line])
        #expect(style.lines("cannot read '\(path)'", .quiet, indent: 2).map(\.columns) == [13, 74])
        #expect(style.lines("next", command: "sluice plan").map(\.line) == ["next: sluice plan"])
        #expect(style.lines("next", command: "sluice plan \(path)").map(\.line) == ["next:", "  sluice plan \(path)"])
    }

    @Test("a name is shortened in the middle")
    func cutting() {
        let style = TextStyle()
        #expect("abcdefghij".cutInMiddle(to: 5, style) == "ab…ij")
        #expect("日本語日本語".cutInMiddle(to: 5, style).columns <= 5)
    }
}
