import Foundation
import TestSupport
import Testing

/// The files that `sluice init` writes.
@Suite("The first files")
struct InitTests {
    @Test("the files for the simulator can be planned and applied unchanged")
    func embedded() async throws {
        let user = try Program()
        defer { user.remove() }
        let written = try await user.run("init", "mine", "--service", "embedded")
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.errors.contains("next: sluice plan mine"))
        #expect(try await user.run("plan", "mine").status == 0)
        #expect(try await user.run("apply", "mine", "--yes").status == 0)
        #expect(try await user.run("status", "mine").output.contains("contacts"))
    }

    @Test("the files for a sandbox are valid, and request nothing until a flow is declared")
    func sandbox() async throws {
        let user = try Program()
        defer { user.remove() }
        let written = try await user.run(
            "init", "--organization", "1234@AdobeOrg", "--sandbox", "dev", "--ledger", "git:")
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.errors.contains("SLUICE_ACCESS_TOKEN"))
        let target = try user.read("target.yaml")
        #expect(target.hasPrefix("# yaml-language-server: $schema=manifest.schema.json\n"))
        #expect(try user.read("manifest.schema.json").contains("urn:sluice:schema:manifest"))
        #expect(target.contains("metadata: {name: dev}"))
        #expect(target.contains("service: https://platform.adobe.io/data/foundation/flowservice"))
        #expect(target.contains("ledger: \"git:\""))
        #expect(try await user.run("validate").status == 0)
    }

    @Test("without a terminal, all missing and invalid options are reported together, and nothing is written")
    func faults() async throws {
        let user = try Program()
        defer { user.remove() }
        let refused = try await user.run(
            "init", "--service", "ftp://a", "--sandbox", "a b", "--ledger", "oracle:x", "--target", " ")
        #expect(refused.status == 64)
        for option in ["--service: ", "--organization is required", "--sandbox: ", "--target: ", "--ledger: "] {
            #expect(refused.errors.contains(option), "\(refused.errors)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: user.folder.path).allSatisfy { $0.hasPrefix(".") })
    }

    @Test("existing files are not overwritten")
    func present() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write("mine", to: "flows.yaml")
        let refused = try await user.run("init", "--service", "embedded")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("flows.yaml exists already"))
        #expect(try user.read("flows.yaml") == "mine")
        #expect(!FileManager.default.fileExists(atPath: user.path("target.yaml").path))
    }

    @Test("with credentials the manifest declares the flows of the sandbox, without them it is a template")
    func adopted() async throws {
        let world = try await World(flows: 2, windows: 3)
        #expect(try await world.apply().status == 0)
        var user = world.user
        let options = ["--service", world.simulator.address, "--organization", "1234@AdobeOrg", "--sandbox", "prod"]
        let skipped = try await user.run(["init", "skipped"] + options + ["--skip-flows"])
        #expect(skipped.status == 0, "\(skipped.errors)")
        #expect(try user.read("skipped/flows.yaml").contains("\n  flows:\n    # - flowId:"))

        user.environment["SLUICE_ACCESS_TOKEN"] = "token"
        user.environment["SLUICE_API_KEY"] = nil
        let halfGiven = try await user.run(["init", "half"] + options)
        #expect(halfGiven.errors.contains("SLUICE_API_KEY"))
        user.environment["SLUICE_API_KEY"] = "key"
        let written = try await user.run(["init", "adopted"] + options)
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.errors.contains("2 flows of the sandbox, with 6 runs"))
        #expect(try await user.run("validate", "adopted").status == 0)
        let plan = try await user.run("plan", "adopted")
        #expect(plan.output.contains("Nothing to do: all 6 windows are recorded."), "what it read is in the ledger")
        let flows = try await user.run("flows", "adopted", "--format", "json")
        let valid = try await user.run("validate", "adopted", "--format", "json")
        try user.write("kind: Target\nspec: 3\n", to: "broken.yaml")
        let broken = try await user.run("validate", "broken.yaml", "--format", "json")
        let faults = try SchemaValidator.faults(in: [
            .init("flows", flows.output), .init("validate", valid.output), .init("validate", broken.output),
        ])
        #expect(flows.output.contains("\"declared\"") && broken.output.contains("\"SLU0"))
        #expect(faults == [nil, nil, nil])
        try await world.end()
    }

    @Test("on a terminal, init prompts with defaults, and repeats the prompt after an invalid answer")
    func terminal() async throws {
        let user = try Program()
        defer { user.remove() }
        let terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
        let asked = try RunningProgram(
            URL(fileURLWithPath: "/usr/bin/python3"),
            ["-c", terminal, Program.binary.path, "init", "--sandbox", "dev"],
            in: user.folder, environment: user.environment, input: "\n\n12 34\n1234@AdobeOrg\n\nsqlite:mine.sqlite\n")
        let result = try await asked.end()
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("without spaces"))
        let target = try user.read("target.yaml")
        #expect(target.contains("organization: \"1234@AdobeOrg\""))
        #expect(target.contains("sandbox: dev"))
        #expect(target.contains("ledger: sqlite:mine.sqlite"))
    }
}
