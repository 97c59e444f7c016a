import FlowRuns
import Foundation
import Planner
import Testing
import Text

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
    private func shown(
        on page: String = CoverageScriptTests.page, fragment: String = "", after steps: String
    ) throws -> [String] {
        let script = """
            <script>
            const find = (text) => { const field = document.getElementById('find'); field.value = text; \
            field.dispatchEvent(new Event('input')); };
            const only = (state) => document.querySelector(`.legend li[data-state=${state}] button`).click();
            const zoom = (value) => document.querySelector(`button[value="${value}"]`).click();
            const between = (from, to) => { for (const [id, value] of [['from', from], ['to', to]]) \
            document.getElementById(id).value = value; document.getElementById('to').dispatchEvent(new Event('change')); };
            const sort = (column) => document.querySelectorAll('#flows thead button')[column].click();
            const lanes = () => [...document.querySelectorAll('.lane:not([hidden]) .name')].map((a) => a.textContent);
            const rows = () => [...document.querySelectorAll('#flows tbody tr:not([hidden]) th')]
              .map((head) => head.firstChild.textContent);
            const points = () => document.querySelectorAll('#points tbody tr:not([hidden])').length;
            const sorted = () => [...document.querySelectorAll('#flows [aria-sort]')]
              .map((head) => `${head.textContent} ${head.getAttribute('aria-sort')}`);
            const lane = (name) => [...document.querySelectorAll('.lane')]
              .find((lane) => lane.querySelector('.name').textContent === name).querySelector('svg');
            const press = (element, key) => element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            const marks = (name) => {
              const texts = [];
              for (press(lane(name), 'Home'); ; press(lane(name), 'ArrowRight')) {
                texts.push(lane(name).getAttribute('aria-valuetext'));
                if (lane(name).getAttribute('aria-valuenow') === lane(name).getAttribute('aria-valuemax')) return texts;
              }
            };
            const openFirst = (name, state) => {
              const svg = lane(name);
              svg.focus();
              for (press(svg, 'Home'); !svg.getAttribute('aria-valuetext').includes(state); ) {
                if (svg.getAttribute('aria-valuenow') === svg.getAttribute('aria-valuemax')) break;
                press(svg, 'ArrowRight');
              }
              press(svg, 'Enter');
            };
            const panel = document.getElementById('panel');
            const choose = (zone) => { const field = document.getElementById('zone'); field.value = zone; \
            field.dispatchEvent(new Event('change')); };
            const total = (state) => document.querySelector(`.legend li[data-state=${state}] .count`).textContent;
            const axis = () => [...document.querySelectorAll('.axis text')].map((label) => label.textContent);
            const off = () => [...document.querySelectorAll('button[name=zoom]:disabled')].map((button) => button.value);
            let result = [];
            try { \(steps) } catch (error) { result = [String(error)]; }
            const output = document.body.appendChild(document.createElement('pre'));
            output.id = 'result';
            output.textContent = result.map((line) => `${line}\\n`).join('');
            </script>
            """
        let page = page.replacing(#/<meta http-equiv[^>]*>/#, with: "").replacing(
            "</body>", with: script + "</body>")
        let document = try Browser.document(of: page, fragment: fragment)
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
            after: "between('2024-01-18T00:00', '2024-01-23T00:00'); result = [...marks('crm-1'), points(), axis()[0]];"
        )
        #expect(
            drawn == [
                "succeeded: 2024-01-18 00:00 … 2024-01-19 00:00", "succeeded: 2024-01-19 00:00 … 2024-01-20 00:00",
                "failed: 2024-01-20 00:00 … 2024-01-21 00:00", "1", "2024-01-18",
            ])
        #expect(
            try shown(
                after: "between('2024-01-01T00:00', '2024-01-02T00:00'); result = [points(), marks('crm-1').length];")
                == ["0", "1"])
    }

    @Test("counts in the legend and in the table follow the zoom")
    func countsFollow() throws {
        let steps = """
            const cells = () => [...document.querySelectorAll('#flows tbody tr')].map((row) => row.cells[1].textContent);
            result = [total('succeeded'), total('failed'), cells().join()];
            between('2024-01-15T00:00', '2024-01-20T00:00');
            result.push(total('succeeded'), total('failed'), cells().join());
            """
        #expect(try shown(after: steps) == ["99", "1", "10,19,30,40", "15", "0", ",5,5,5"])
    }

    @Test("Enter on a mark opens a panel with its runs and rerun lines, and Escape closes it")
    func opensPanel() throws {
        let steps = """
            openFirst('contacts', 'failed');
            result = [panel.hidden, document.activeElement.id, panel.querySelector('h2').textContent,
              panel.innerText, panel.querySelector('.run').href, panel.querySelector('pre').textContent];
            press(document.activeElement, 'Escape');
            result.push(panel.hidden, document.activeElement === lane('contacts'));
            """
        let result = try shown(on: CoverageSamples.small.written(.html), after: steps)
        #expect(result.starts(with: ["false", "panel-title", "contacts"]))
        for wanted in [
            "failed", "CONNECTOR-2001-500: the source timed out", "flows.yaml:19", "    rerun:",
            "        id: again-1", "0 records",
        ] {
            #expect(result.contains { $0.contains(wanted) }, "\(wanted)")
        }
        #expect(result.contains { $0.wholeMatch(of: #/https:\/\/example\.org\/runs\/2f592d50-[-0-9]+/#) != nil })
        #expect(result.suffix(2) == ["true", "true"])
    }

    @Test("the panel about a flow has a cell for each day, and a click on a day zooms to it")
    func calendar() throws {
        let steps = """
            document.querySelector('.lane .name').click();
            const cells = [...panel.querySelectorAll('.calendar rect')];
            result = [cells.length, cells.filter((cell) => cell.getAttribute('class') === 'failed').length];
            cells.at(-1).dispatchEvent(new MouseEvent('click', { bubbles: true }));
            result.push(document.getElementById('from').value, cells.at(-1).textContent);
            between('2026-10-20T00:00', '2026-10-24T00:00');
            openFirst('events', 'failed');
            result.push(panel.querySelector('.steps').textContent.includes('more follow'),
              panel.querySelectorAll('pre').length);
            openFirst('events', 'succeeded');
            result.push(panel.querySelectorAll('.steps').length);
            """
        let result = try shown(on: CoverageSamples.long.written(.html), after: steps)
        #expect(result == ["1826", "44", "2021-12-31T00:00", "2021-12-31: 24 succeeded", "false", "1", "0"])
    }

    @Test("the address keeps the range, the filters, the zone and the panel")
    func address() throws {
        let page = CoverageSamples.small.written(.html)
        let steps = """
            zoom('7d'); only('failed'); find('contacts'); choose('Europe/Berlin'); openFirst('contacts', 'failed');
            result = [location.hash];
            """
        let fragment = try #require(shown(on: page, after: steps).first).replacing("&amp;", with: "&")
        #expect(fragment.hasPrefix("#range=7d&find=contacts&only=failed&zone=Europe%2FBerlin&flow="))
        let state = """
            result = [document.querySelector('[value="7d"]').getAttribute('aria-pressed'), lanes().join(),
              document.getElementById('find').value, document.getElementById('zone').value, panel.hidden,
              panel.querySelector('.state').textContent.trim(), location.hash];
            """
        let restored = try shown(on: page, fragment: fragment, after: state)
        #expect(restored.dropLast() == ["true", "contacts", "contacts", "Europe/Berlin", "false", "failed"])
        #expect(restored.last?.replacing("&amp;", with: "&") == fragment)
    }

    @Test("times are in UTC, in one zone, or in that of the flow")
    func zones() throws {
        let steps = """
            zoom('7d');
            result = [marks('contacts').at(-1)];
            for (const zone of ['Europe/Berlin', 'flow']) {
              choose(zone);
              result.push(marks('contacts').at(-1), document.querySelector('#flows .date').textContent);
            }
            """
        let result = try shown(on: CoverageSamples.small.written(.html), after: steps)
        #expect(
            result == [
                "succeeded: 2026-11-28 23:00 … 2026-11-29 23:00",
                "succeeded: 2026-11-29 00:00 … 2026-11-30 00:00 Europe/Berlin", "2026-10-01",
                "succeeded: 2026-11-29 00:00 … 2026-11-30 00:00 Europe/Berlin", "2026-10-01",
            ])
    }

    @Test("no width from 320 pixels up needs sideways scrolling, with or without the panel")
    func narrow() throws {
        // A frame, because a window has a minimum width.
        let page = CoverageSamples.allStates.written(.html).replacing(#/<meta http-equiv[^>]*>/#, with: "")
        var source = JSONText()
        source.array { $0.element(page) }
        let document = try Browser.document(
            of: """
                <!DOCTYPE html><body><pre id="result"></pre><script>
                const [source] = \(source.text.replacing("<", with: "\\u003c"));
                for (const width of [320, 390, 768, 1024, 1280]) {
                  const frame = document.createElement('iframe');
                  Object.assign(frame, { srcdoc: source, width, height: 800 });
                  frame.addEventListener('load', () => {
                    const root = frame.contentDocument.documentElement;
                    const panel = frame.contentDocument.getElementById('panel');
                    const isWide = () => root.scrollWidth > root.clientWidth || panel.scrollWidth > panel.clientWidth;
                    const found = [isWide()];
                    for (const name of frame.contentDocument.querySelectorAll('.lane .name')) {
                      name.click();
                      found.push(isWide());
                    }
                    document.getElementById('result').append(`${width}: ${found.length} ${found.includes(true)}\\n`);
                  });
                  document.body.append(frame);
                }
                </script></body>
                """)
        let result = try #require(document.firstMatch(of: #/<pre id="result">([^<]*)<\/pre>/#)).output.1
        #expect(
            result.split(separator: "\n").sorted()
                == ["1024: 16 false", "1280: 16 false", "320: 16 false", "390: 16 false", "768: 16 false"])
    }

    @Test("texts from outside become no elements in the panel")
    func hostile() throws {
        let run = Sample.run(
            1, Sample.window(Sample.newYear, Self.day), .failed, id: "<b>&run", failure: "</script><img src=x>")
        let page = CoverageReport(
            target: "prod", asOf: Sample.newYear + Self.day * 2,
            flows: [FlowCoverage(Sample.flow(1, "</script><i>name"), runs: [run])]
        ).written(.html)
        let steps = """
            openFirst('</' + 'script><i>name', 'failed');
            result = [panel.querySelectorAll('img, b, i').length, panel.querySelector('.run').textContent === '<b>&run'];
            """
        #expect(try shown(on: page, after: steps) == ["0", "true"])
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
                "90d earlier later out", "2024-01-16T00:00 2024-01-26T00:00", "2024-01-31T00:00 2024-02-10T00:00",
                "90d later", "2024-01-21T00:00 2024-02-10T00:00", "false", "true",
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
    static func document(of page: String, fragment: String = "") throws -> String {
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
            "--window-size=1280,900", "--virtual-time-budget=3000", "--dump-dom", file.absoluteString + fragment,
        ]
        process.environment = ["HOME": folder.path, "PATH": "/usr/bin:/bin"]
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try String(contentsOf: output, encoding: .utf8)
    }
}
