import Foundation
import Testing

/// Files that commands write, where a file cannot simply be replaced.
@Suite("Output files", .timeLimit(.minutes(2)))
struct OutputFileTests {
    private func world() throws -> Program {
        let user = try Program()
        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        return user
    }

    private static let plan = #""$0" plan flows.yaml target.yaml --out "#

    @Test("a file in a folder that may not be written is written in place, and is no longer than its new text")
    func closedFolder() async throws {
        let user = try world()
        let script =
            "mkdir out && printf '%100000s' > out/plan.json && chmod 555 out && \(Self.plan) out/plan.json; status=$?; "
            + "chmod 755 out; ls out; exit $status"
        let result = try await user.shell(script, asOther: true)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.hasSuffix("plan.json\n"))
        let plan = try user.read("out/plan.json")
        #expect(plan.hasPrefix("{") && plan.hasSuffix("}\n"))
        #expect(try await user.run("apply", "out/plan.json").status == 0)
        user.remove()
    }

    @Test("a new file in a folder that may not be written, and a file that may not be, are errors")
    func closed() async throws {
        let user = try world()
        let result = try await user.shell(
            "mkdir out && chmod 555 out; \(Self.plan) out/plan.json; echo $?; touch f; chmod 444 f; mkdir g; touch g/f; "
                + "chmod 444 g/f; chmod 555 g; \(Self.plan) g/f; echo $?; chmod 755 out g", asOther: true)
        #expect(result.output.split(separator: "\n").filter { $0 == "74" }.count == 2, "\(result.output)")
        #expect(result.errors.contains("Permission denied"))
        user.remove()
    }

    #if os(Linux)
        @Test("a file that is mounted by itself is written in place")
        func mounted() async throws {
            guard getuid() == 0 else { return }
            let user = try world()
            let result = try await user.shell(
                "printf '%100000s' > there; touch plan.json; unshare -m bash -c 'mount --bind there plan.json && exec \"$@\"' "
                    + "bash \"$0\" plan flows.yaml target.yaml --out plan.json && ls")
            // Where the tests run in a container, nothing may be mounted.
            if result.errors.contains("unshare") || result.errors.contains("mount:") { return }
            #expect(result.status == 0, "\(result.errors)")
            #expect(!result.output.contains(".part"))
            #expect(try user.read("there").hasPrefix("{") && user.read("there").hasSuffix("}\n"))
            user.remove()
        }
    #endif

    @Test(
        "a job summary that cannot be written is a warning, and no folder is made for it",
        arguments: ["missing/folder/summary", ".", "/dev/full", "flows.yaml/summary"])
    func summary(path: String) async throws {
        var user = try world()
        user.environment["GITHUB_STEP_SUMMARY"] = path
        let applied = try await user.run(World.apply)
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(applied.errors.contains("warning: cannot write the job summary '\(path)'"), "\(applied.errors)")
        let planned = try await user.run("plan", "flows.yaml", "target.yaml", "--format", "github")
        #expect(planned.status == 0 && planned.errors.contains("warning: cannot write the job summary"))
        #expect(!FileManager.default.fileExists(atPath: user.path("missing").path))
        user.remove()
    }

    @Test("a job summary is appended to")
    func appended() async throws {
        var user = try world()
        user.environment["GITHUB_STEP_SUMMARY"] = "summary"
        try user.write("first\n", to: "summary")
        #expect(try await user.run(World.apply).status == 0)
        let summary = try user.read("summary")
        #expect(summary.hasPrefix("first\n") && summary.count > 20)
        user.remove()
    }

    @Test("an apply whose output cannot be written is complete all the same", arguments: ["", " --format json"])
    func fullOutput(format: String) async throws {
        let user = try world()
        let result = try await user.shell(#""$0" apply flows.yaml target.yaml --yes\#(format) > /dev/full"#)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("warning: cannot write to standard output"), "\(result.errors)")
        user.remove()
    }
}
