import FlowRuns
import Foundation
import Planner
import Testing

@testable import Reports

/// Tests the page's script in a real browser, if one is installed (`apt-get install chromium`).
@Suite("The coverage page in a browser", .enabled(if: Browser.path != nil))
struct CoverageScriptTests {
    private static let day = Sample.day

    /// A page with the flows `crm-0`, `crm-1`, `crm-2` and `web-3`, of 10, 20, 30 and 40 days; the last window of
    /// `crm-1` failed.
    private static let page = CoverageReport(
        target: "prod", asOf: Sample.newYear + day * 40,
        flows: (0..<4).map { number in
            let runs = (0..<(number + 1) * 10).map { index in
                Sample.run(
                    number, Sample.window(Sample.newYear + day * index, day),
                    number == 1 && index == 19 ? .failed : .succeeded, id: "run-\(number)-\(index)")
            }
            return FlowCoverage(Sample.flow(number, number == 3 ? "web-3" : "crm-\(number)"), runs: runs)
        }
    ).written(.html)

    @Test("the page's policy allows its own script")
    func runs() throws {
        #expect(!Self.page.contains("class=\"copy\""))
        let document = try Browser.document(of: Self.page)
        #expect(document.contains(#/<div id="tools"(?![^>]*hidden)[^>]*>/#))
        #expect(document.contains("Copy run run-1-19"))
        #expect(document.contains("Shown: 4 of 4 flows, 1 of 1 points that need attention"))
    }

    /// Returns the result of a script that imitates steps of a reader.
    private func shown(after steps: String) throws -> [String] {
        let script = """
            <script>
            const find = (text) => { const field = document.getElementById('find'); field.value = text; \
            field.dispatchEvent(new Event('input')); };
            const only = (state) => document.querySelector(`input[value=${state}]`).click();
            const zoom = (value) => document.querySelector(`button[value=${value}]`).click();
            const between = (from, to) => { for (const [id, value] of [['from', from], ['to', to]]) \
            document.getElementById(id).value = value; document.getElementById('to').dispatchEvent(new Event('change')); };
            const sort = (column) => document.querySelectorAll('#flows thead button')[column].click();
            const lanes = () => [...document.querySelectorAll('.lane:not([hidden]) .name')].map((a) => a.textContent);
            const rows = () => [...document.querySelectorAll('#flows tbody tr:not([hidden]) th')]
              .map((head) => head.firstChild.textContent);
            const points = () => document.querySelectorAll('#points tbody tr:not([hidden])').length;
            const sorted = () => [...document.querySelectorAll('#flows [aria-sort]')]
              .map((head) => `${head.textContent} ${head.getAttribute('aria-sort')}`);
            const marks = (index) => [...document.querySelectorAll('.lane')[index].querySelectorAll('rect')]
              .map((mark) => `${mark.getAttribute('class')} ${Math.round(mark.getAttribute('x'))} `
                + `${Math.round(mark.getAttribute('width'))} ${mark.textContent}`);
            const axis = () => [...document.querySelectorAll('.axis text')].map((label) => label.textContent);
            const off = () => [...document.querySelectorAll('button[name=zoom]:disabled')].map((button) => button.value);
            let result = [];
            try { \(steps) } catch (error) { result = [String(error)]; }
            const output = document.body.appendChild(document.createElement('pre'));
            output.id = 'result';
            output.textContent = result.map((line) => `${line}\\n`).join('');
            </script>
            """
        let page = Self.page.replacing(#/<meta http-equiv[^>]*>/#, with: "").replacing(
            "</body>", with: script + "</body>")
        let document = try Browser.document(of: page)
        let result = try #require(document.firstMatch(of: #/<pre id="result">([^<]*)<\/pre>/#)).output.1
        return result.split(separator: "\n").map(String.init)
    }

    @Test("a search by words of the name filters both the lanes and the table")
    func finds() throws {
        #expect(try shown(after: "find('WEB'); result = [...lanes(), ...rows()];") == ["web-3", "web-3"])
        #expect(try shown(after: "find('crm 0000002'); result = lanes();") == ["crm-2"])
        #expect(
            try shown(
                after:
                    "find('nothing'); result = [lanes().length, document.getElementById('shown').textContent.slice(0, 21)];"
            ) == ["0", "Shown: 0 of 4 flows, "])
    }

    @Test("a state filters the flows, and a second click removes the filter")
    func filters() throws {
        let steps = "only('failed'); result = [...lanes(), points()]; only('failed'); result.push(lanes().length);"
        #expect(try shown(after: steps) == ["crm-1", "1", "4"])
        #expect(try shown(after: "only('succeeded'); result = [lanes().length, points()];") == ["4", "0"])
    }

    @Test("a time range is drawn exactly, and points that need attention outside it are hidden")
    func zooms() throws {
        let drawn = try shown(
            after: "between('2024-01-16T00:00', '2024-01-26T00:00'); result = [...marks(1), points(), ...axis()];")
        #expect(
            drawn == [
                "succeeded 0 400 19 × succeeded: 2024-01-01 00:00 … 2024-01-20 00:00",
                "failed 400 100 failed: 2024-01-20 00:00 … 2024-01-21 00:00", "1", "2024-01-16", "2024-01-17",
                "2024-01-18", "2024-01-19", "2024-01-20", "2024-01-21", "2024-01-22", "2024-01-23", "2024-01-24",
                "2024-01-25",
            ])
        #expect(
            try shown(after: "between('2024-01-01T00:00', '2024-01-02T00:00'); result = [points(), marks(1).length];")
                == ["0", "1"])
    }

    @Test("the buttons zoom and move within the page's time, and 'all' restores the initial view")
    func buttons() throws {
        let steps = """
            const field = (id) => document.getElementById(id).value;
            const first = document.querySelector('.lane').innerHTML;
            result = [off().join(' ')];
            zoom('in'); zoom('in'); result.push(`${field('from')} ${field('to')}`);
            zoom('later'); zoom('later'); zoom('later'); result.push(`${field('from')} ${field('to')}`, off().join(' '));
            zoom('out'); result.push(`${field('from')} ${field('to')}`);
            result.push(document.querySelector('.lane').innerHTML === first);
            zoom('all'); result.push(document.querySelector('.lane').innerHTML === first);
            """
        #expect(
            try shown(after: steps) == [
                "out earlier later all", "2024-01-16T00:00 2024-01-26T00:00", "2024-01-31T00:00 2024-02-10T00:00",
                "later", "2024-01-21T00:00 2024-02-10T00:00", "false", "true",
            ])
    }

    @Test("a column sorts in descending order, then in ascending order, and indicates it")
    func sorts() throws {
        #expect(
            try shown(
                after: "sort(1); result = [...rows(), ...sorted()]; sort(1); result.push(...rows(), ...sorted());")
                == [
                    "web-3", "crm-2", "crm-1", "crm-0", "Succeeded descending", "crm-0", "crm-1", "crm-2", "web-3",
                    "Succeeded ascending",
                ])
        #expect(try shown(after: "sort(0); sort(0); result = rows();") == ["web-3", "crm-2", "crm-1", "crm-0"])
    }

    @Test("a link to a filtered-out flow shows the flow")
    func links() throws {
        let steps = """
            find('web'); location.hash = '#row-\(Sample.flowID(1))'; dispatchEvent(new Event('hashchange'));
            result = [lanes().length];
            """
        #expect(try shown(after: steps) == ["4"])
    }
}

/// A headless Chromium.
enum Browser {
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Returns the document after the page's scripts have run.
    static func document(of page: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, output) = (folder.appending(path: "page.html"), folder.appending(path: "document.html"))
        try Data(page.utf8).write(to: file)
        try Data().write(to: output)
        let process = Process()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--user-data-dir=\(folder.path)/profile",
            "--virtual-time-budget=3000", "--dump-dom", file.absoluteString,
        ]
        process.environment = ["HOME": folder.path, "PATH": "/usr/bin:/bin"]
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try String(contentsOf: output, encoding: .utf8)
    }
}
