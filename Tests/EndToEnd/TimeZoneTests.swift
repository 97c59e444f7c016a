import Foundation
import Testing

/// Which rules of a time zone cut the windows of a series.
@Suite("Time zones")
struct TimeZoneTests {
    /// A user whose zone files say that Berlin is at UTC+02:00 all year.
    private func user(every: String = "P1D") throws -> Program {
        var user = try Program()
        try user.write(Fixture.target(), to: "target.yaml")
        let series = """
                  series:
                    - {every: \(every), from: 2024-11-01, until: 2024-11-04, timeZone: Europe/Berlin}

            """
        try user.write(
            Fixture.manifest(["    - flowId: \(Fixture.contacts)\n      source: file\n\(series)"]), to: "flows.yaml")
        let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        let counts: [UInt8] = [0, 0, 0, 0, 1, 4].flatMap { [0, 0, 0, $0] }
        let block = header + counts + [0, 0, 0x1C, 0x20, 0, 0] + Array("XXX\0".utf8)
        try FileManager.default.createDirectory(at: user.path("zones/Europe"), withIntermediateDirectories: true)
        try Data(block + block + Array("\n<+02>-2\n".utf8)).write(to: user.path("zones/Europe/Berlin"))
        user.environment["TZDIR"] = user.path("zones").path
        return user
    }

    private static let plan = ["plan", "target.yaml", "flows.yaml", "--as-of", "2024-12-01"]

    @Test(
        "a newer zone file moves the windows, and the plan warns that the built-in rules differ",
        arguments: ["P1D", "P1M"])
    func newerFile(every: String) async throws {
        var user = try user(every: every)
        defer { user.remove() }
        try user.write("2027a\n", to: "zones/+VERSION")
        try user.write(user.read("flows.yaml").replacing("2024-11-04", with: "2024-12-01"), to: "flows.yaml")
        let moved = try await user.run(Self.plan)
        #expect(moved.output.contains("2024-10-31T22:00:00Z … 2024-11-30T22:00:00Z"), "\(moved.output)")
        #expect(moved.output.contains("2024-11-01 00:00 +02:00 … 2024-12-01 00:00 +02:00 Europe/Berlin"))
        #expect(
            moved.errors.contains("warning[SLU0143]: two versions of the rules of Europe/Berlin"), "\(moved.errors)")
        #expect(moved.errors.contains("'\(user.path("zones").path)' (2027a)"), "\(moved.errors)")
        #expect(moved.errors.contains("--> flows.yaml:10:11"), "\(moved.errors)")
        let apply = try await user.run("apply", "target.yaml", "flows.yaml")
        #expect(apply.errors.contains("warning[SLU0143]"), "\(apply.errors)")
        user.environment["TZDIR"] = nil
        let usual = try await user.run(Self.plan)
        #expect(usual.output.contains("2024-10-31T23:00:00Z … 2024-11-30T23:00:00Z"), "\(usual.output)")
        #expect(!usual.errors.contains("SLU0143"), "\(usual.errors)")
    }

    @Test("nothing is said where the sources agree about the windows that are cut")
    func agreement() async throws {
        let user = try user()
        defer { user.remove() }
        // In summer Berlin is at UTC+02:00 by both.
        try user.write(user.read("flows.yaml").replacing("2024-11-0", with: "2024-07-0"), to: "flows.yaml")
        let plan = try await user.run(Self.plan)
        #expect(plan.output.contains("2024-06-30T22:00:00Z … 2024-07-03T22:00:00Z"), "\(plan.output)")
        #expect(!plan.errors.contains("SLU0143"), "\(plan.errors)")
    }

    @Test(
        "a damaged zone file is named in a warning, and the built-in rules are used", arguments: [0, 3, 50, 100, 116])
    func damaged(length: Int) async throws {
        let user = try user()
        defer { user.remove() }
        let file = user.path("zones/Europe/Berlin")
        try Data(contentsOf: file).prefix(length).write(to: file)
        let plan = try await user.run(Self.plan)
        #expect(plan.status == 0)
        #expect(plan.output.contains("2024-10-31T23:00:00Z … 2024-11-03T23:00:00Z"), "\(plan.output)")
        #expect(
            plan.errors.contains("warning[SLU0142]: cannot use the zone file '\(file.path)' (it is cut off)"),
            "\(plan.errors)")
        #expect(!plan.errors.contains("SLU0143"))
    }

    @Test("'version --verbose' names the source of time zones and its version")
    func version() async throws {
        var user = try user()
        defer { user.remove() }
        let folder = user.path("zones").path
        #expect(try await user.run("version").output == "sluice 0.1.0\n")
        let dated = try await user.run("version", "--verbose")
        #expect(dated.output.contains("time zones files of 20") && dated.output.contains(" in \(folder), "))
        for (file, text) in [("+VERSION", "2027b\n"), ("tzdata.zi", "# version 2027c\n# redo posix_only\n")] {
            try user.write(text, to: "zones/\(file)")
            let version = try await user.run("version", "--verbose")
            let name = text.firstMatch(of: /2027./)?.output ?? ""
            #expect(version.output.contains("time zones \(name) in \(folder), "), "\(version.output)")
            let json = try await user.run("version", "--format", "json")
            #expect(json.output.contains("\"folder\": \"\(folder)\",\n    \"version\": \"\(name)\""), "\(json.output)")
        }
        user.environment["TZDIR"] = "/nowhere"
        #expect(try await !user.run("version", "--verbose").output.contains("nowhere"))
    }

    @Test("zones that the machine lists are accepted, and no others")
    func names() async throws {
        var user = try user()
        defer { user.remove() }
        user.environment["TZDIR"] = nil
        let text = try user.read("flows.yaml")
        for (name, message) in [
            ("GMT", "no errors"), ("US/Pacific", "no errors"), ("EST5EDT", "no errors"),
            ("SystemV/EST5", "did you mean 'EST'?"), ("posix/Europe/Berlin", "did you mean 'Europe/Berlin'?"),
            ("GMT+2", "did you mean 'Etc/GMT-2'?"),
        ] {
            try user.write(text.replacing("Europe/Berlin", with: name), to: "flows.yaml")
            let result = try await user.run("validate", "target.yaml", "flows.yaml")
            #expect(result.errors.contains(message), "\(name): \(result.errors)")
            #expect(result.status == (message == "no errors" ? 0 : 65))
        }
    }
}
