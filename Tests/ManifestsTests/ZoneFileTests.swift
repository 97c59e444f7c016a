import FlowRuns
import Foundation
import Testing
import Text

@testable import Manifests

@Suite("Zone files", .serialized)
struct ZoneFileTests {
    /// Of version 2, with the rule alone; its old block is empty.
    private func file(rule: String, offset: Int32 = 0, version: UInt8 = 0x32) -> [UInt8] {
        func number(_ value: Int32) -> [UInt8] {
            let bits = UInt32(bitPattern: value)
            return [24, 16, 8, 0].map { UInt8(bits >> $0 & 0xFF) }
        }
        let header = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
        let block = header + [0, 0, 0, 0, 1, 4].flatMap { number($0) } + number(offset) + [0, 0] + Array("XXX\0".utf8)
        return version == 0 ? block : block + block + Array("\n\(rule)\n".utf8)
    }

    private func utc(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }

    @Test(
        "a rule says when the clocks change",
        arguments: [
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2024-03-31T01:00:00Z", 3600, 7200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2024-10-27T01:00:00Z", 7200, 3600),
            // Winter is the exception in Dublin.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2024-03-31T01:00:00Z", 0, 3600),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2024-04-06T14:00:00Z", 46_800, 43_200),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00Z", -7200, -3600),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2024-10-05T15:30:00Z", 37_800, 39_600),
            ("AAA3BBB,J60/0,J300/0", "2024-03-01T03:00:00Z", -10_800, -7200),
            ("AAA3BBB,59/0,300/0", "2024-02-29T03:00:00Z", -10_800, -7200),
            ("AAA3BBB,M1.1.1/167,M12.5.5/-167", "2024-01-08T02:00:00Z", -10_800, -7200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2999-03-31T01:00:00Z", 3600, 7200),
        ] as [(String, String, Int64, Int64)])
    func rules(rule: String, change: String, before: Int64, after: Int64) throws {
        let zone = try ZoneFile(file(rule: rule))
        let moment = try utc(change)
        #expect((zone.offset(at: moment - 1), zone.offset(at: moment)) == (before, after))
    }

    @Test("daylight saving that lasts all year has no changes")
    func alwaysDaylight() throws {
        let zone = try ZoneFile(file(rule: "EST5EDT,0/0,J365/25"))
        for year in 1970...2500 {
            let start = try #require(Timestamp(year: year, month: 1, day: 1)).seconds + 5 * 3600
            for second in [-3601, -3600, -1, 0, 1, 3600] { #expect(zone.offset(at: start + Int64(second)) == -14_400) }
        }
    }

    @Test("a rule without daylight saving, no rule, and a file of version 1 keep their offset")
    func constant() throws {
        for second in [Int64.min, 0, 1_800_000_000, Int64.max] {
            #expect(try ZoneFile(file(rule: "<+03>-3", offset: 10_800)).offset(at: second) == 10_800)
            #expect(try ZoneFile(file(rule: "", offset: -3600)).offset(at: second) == -3600)
            #expect(try ZoneFile(file(rule: "", offset: 7200, version: 0)).offset(at: second) == 7200)
        }
    }

    @Test(
        "what is no rule is refused",
        arguments: [
            "X", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
            "<CET-1",
            "CET-1CEST,M3.5.7,M10.5.0", "CET-25", "CET-1CEST,J0,J1", "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1 ", "CET-20",
        ])
    func badRules(rule: String) {
        #expect(throws: ZoneFileError("its last line is not a time zone rule")) { try ZoneFile(file(rule: rule)) }
    }

    private static let sample =
        (try? Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin"))) ?? Data()

    @Test("a damaged file is refused or read, and never crashes the program", .enabled(if: !sample.isEmpty))
    func damaged() throws {
        let bytes = Array(Self.sample)
        for count in 0..<bytes.count {
            #expect(throws: ZoneFileError.self, "\(count)") { try ZoneFile(Array(bytes.prefix(count))) }
        }
        var random = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let zone = try? ZoneFile(changed) {
                for second in [Int64.min, -1, 0, 1_800_000_000, 99_000_000_000, .max] {
                    #expect(abs(zone.offset(at: second)) <= 16 * 3600)
                }
            }
        }
    }

    @Test("a file that counts leap seconds is refused")
    func leapSeconds() throws {
        guard let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/right/Europe/Berlin") else { return }
        #expect(throws: ZoneFileError("it counts leap seconds")) { try ZoneFile(Array(data)) }
    }

    /// Python reads zone files itself: a judge that is not ours.
    private static let python = """
        import sys, zoneinfo, datetime
        zoneinfo.reset_tzpath([sys.argv[1]])
        times = [int(text) for text in sys.argv[2].split(',')]
        for name in sys.stdin.read().split():
            zone = zoneinfo.ZoneInfo(name)
            offsets = [datetime.datetime.fromtimestamp(time, zone).utcoffset() for time in times]
            print(name, ','.join(str(int(offset.total_seconds())) for offset in offsets))
        """

    @Test("every zone of the machine has the offsets that Python reads, from 1970 to 2700")
    func agreesWithPython() throws {
        let database = ZoneDatabase(folders: ["/usr/share/zoneinfo"])
        let names = database.names().sorted()
        try #require(names.isEmpty || names.count > 300)
        var times = Array(stride(from: Int64(0), to: 4_300_000_000, by: 61 * 86_400 + 3607))
        times += stride(from: Int64(13_000_000_000), to: 23_000_000_000, by: 97 * 86_400)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            "-c", Self.python, "/usr/share/zoneinfo", times.map { String($0) }.joined(separator: ","),
        ]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(names.joined(separator: "\n").utf8))
        try input.fileHandleForWriting.close()
        let lines = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self).split(
            separator: "\n")
        process.waitUntilExit()
        #expect(lines.count == names.count)
        for line in lines {
            let parts = line.split(separator: " ")
            guard case .file(let zone, _) = database.find(String(parts[0])) else {
                Issue.record("\(parts[0]) cannot be read")
                continue
            }
            let offsets = times.map { zone.offset(at: $0) }
            #expect(offsets.map { String($0) }.joined(separator: ",") == parts[1], "\(parts[0])")
        }
    }

    @Test("without zone files the built-in rules count, and from 1970 on they are mostly the machine's")
    func builtIn() throws {
        let none = ZoneDatabase(folders: ["/nowhere"])
        #expect(none.source == nil && none.folders.isEmpty)
        let start = Timestamp(seconds: 0)
        let end = Timestamp(seconds: 1_735_689_600)
        var (count, agreeing) = (0, 0)
        for name in TimeZone.knownTimeZoneIdentifiers where name.contains("/") {
            let builtIn = try #require(LocalClock(name, in: none))
            #expect(builtIn.folder == nil && builtIn.fault == nil)
            guard let machine = LocalClock(name), machine.folder != nil else { continue }
            count += 1
            if machine.agrees(with: builtIn, from: start, to: end) { agreeing += 1 }
        }
        #expect(agreeing * 10 >= count * 9, "\(agreeing) of \(count)")
    }

    @Test(
        "the zones that the machine lists are accepted, aliases included",
        arguments: [
            "GMT", "UTC", "EST", "US/Pacific", "Asia/Kolkata", "Asia/Calcutta", "Etc/GMT+3", "GB-Eire", "Zulu", "CET",
        ])
    func accepted(name: String) throws {
        let clock = try #require(LocalClock(name))
        let builtIn = try #require(LocalClock(name, in: ZoneDatabase(folders: [])))
        let moment = Timestamp(seconds: 1_700_000_000)
        #expect(clock.offset(at: moment) == builtIn.offset(at: moment))
    }

    @Test(
        "names that are not zones are refused, with the name that was meant",
        arguments: [
            ("SystemV/EST5", "EST"), ("SystemV/EST5EDT", "EST5EDT"), ("posix/Europe/Berlin", "Europe/Berlin"),
            ("right/Europe/Berlin", "Europe/Berlin"), ("PST", "America/Los_Angeles"),
            ("europe/berlin", "Europe/Berlin"),
            ("GMT+3", "Etc/GMT-3"), ("UTC-05:00", "Etc/GMT+5"), ("gmt", "GMT"), ("Berlin", "Europe/Berlin"),
            ("Kiew", "Europe/Kiev"), ("Factory", nil), ("localtime", nil), ("../etc/passwd", nil), ("/UTC", nil),
            ("", nil),
            ("zone.tab", nil), ("Europe//Berlin", "Europe/Berlin"), ("leapseconds", nil), ("tzdata.zi", nil),
        ])
    func refused(name: String, suggestion: String?) {
        #expect(LocalClock(name) == nil)
        #expect(LocalClock(name, in: ZoneDatabase(folders: [])) == nil)
        if let suggestion { #expect(LocalClock.nearestName(to: name) == suggestion) }
        #expect(LocalClock.nearestName(to: name).map { LocalClock($0) != nil } ?? true)
    }
}
