import Foundation
import TestSupport
import Testing

/// The events of `apply --format json`.
@Suite("Events")
struct EventTests {
    private struct Event: Decodable {
        let event: String
    }

    private struct EventSchema: Decodable {
        struct Properties: Decodable {
            struct Words: Decodable {
                let `enum`: [String]
            }

            let event: Words
        }

        let properties: Properties
    }

    /// Checks each line against the schema that the program prints.
    ///
    /// - Returns: The kinds of events in the output.
    private func kinds(in output: String) throws -> Set<String> {
        let lines = output.split(separator: "\n").map(String.init)
        let faults = try SchemaValidator.faults(in: lines.map { .init("events", $0) })
        for (line, fault) in zip(lines, faults) where fault != nil { Issue.record("\(fault ?? ""): \(line)") }
        return Set(try lines.map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)).event })
    }

    @Test("every kind of event in the schema occurs, and all events match the schema")
    func everyKind() async throws {
        let world = try await World(
            flows: 3, windows: 4, "--failed", "0.5", "--speed", "10", "--fault", "post-runs/429-retry-after:1s@2",
            "--fault", "post-runs/reset-after@4", "--fault", "post-runs/reset-before@6", "--fault",
            "post-runs/422-before@9")
        let refused = try await world.apply("--format", "json")
        #expect(refused.status == 1)
        let waited = try await world.apply("--format", "json", "--wait")
        try world.loseLedger()
        let found = try await world.apply("--format", "json")
        #expect(found.status == 0)
        try await world.expectOnceEach()
        try await world.end()

        let disagreeing = try await disagreeingFlow()
        let kinds = try kinds(in: refused.output + waited.output + found.output + disagreeing)
        let schema = try await Program().run("schema", "events")
        let known = try JSONDecoder().decode(EventSchema.self, from: Data(schema.output.utf8)).properties.event.enum
        #expect(kinds == Set(known))
    }

    /// Returns the events of an apply that sends strings to a flow whose specification requires integers.
    private func disagreeingFlow() async throws -> String {
        var user = try Program()
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try user.write(
            #"{"items":[{"id":"\#(Fixture.contacts)","scheduleParams":{"frequency":"once"},"times":"integer"}]}"#,
            to: "flows.json")
        let simulator = try await SimulatorProcess(user, ["--flows", "flows.json"])
        try user.write(
            Fixture.target(service: simulator.address) + "---\n" + Fixture.manifest([Fixture.flow()]),
            to: "flows.yaml")
        let result = try await user.run("apply", "flows.yaml", "--yes", "--format", "json")
        #expect(result.status == 1)
        try await simulator.stop()
        user.remove()
        return result.output
    }
}
