import FlowRuns
import Text

extension SimulatedSandbox {
    /// Formats a flow as `GET /flows` and `GET /flows/{id}` return it.
    func flowAnswer(_ flow: SimulatedFlow, at now: Timestamp) -> String {
        let column = deltaColumn(of: flow.id)
        let version = column == flow.deltaColumn ? 1 : 2
        var random = SeededGenerator(seed: stableHash(flow.id.description), choice: "connections")
        let (source, target) = (random.uuid(), random.uuid())
        var json = JSONText()
        json.object {
            $0.member("id", flow.id.description)
            $0.member("createdAt", 1_651_584_991_000)
            $0.member("updatedAt", 1_651_584_991_000)
            configuration.writeOwners(client: nil, to: &$0)
            flow.writeDefinition(to: &$0, column: column)
            $0.member("version", "1.\(version)")
            let prefix = hexadecimal(stableHash(flow.id.description) >> 32, width: 8)
            $0.member("etag", "\"\(prefix)-0000-0200-0000-\(version)\"")
            $0.array("sourceConnectionIds") { $0.element(source) }
            $0.array("targetConnectionIds") { $0.element(target) }
            $0.object("inheritedAttributes") {
                $0.object("properties") { $0.member("isSourceFlow", true) }
                $0.array("sourceConnections") {
                    $0.element { $0.connection(source, specification: flow.specification.sourceConnection) }
                }
                $0.array("targetConnections") {
                    $0.element { $0.connection(target, specification: FlowSpecification.dataLake) }
                }
            }
            if let last = lastRun(of: flow.id, at: now) {
                $0.object("lastRunDetails") { $0.details(of: last, at: now) }
            }
        }
        return json.text
    }
}

extension JSONText {
    fileprivate mutating func connection(_ id: String, specification: String) {
        member("id", id)
        object("connectionSpec") {
            $0.member("id", specification)
            $0.member("version", "1.0")
        }
    }

    fileprivate mutating func details(of run: SimulatedRun, at now: Timestamp) {
        member("id", run.id)
        member("state", run.status(at: now))
        let stage = run.stage(at: now)
        if stage != .scheduled { member("startedAtUTC", run.startsAt.milliseconds) }
        if stage == .ended { member("completedAtUTC", run.endsAt.milliseconds) }
    }
}

extension SandboxConfiguration {
    /// Writes the creator, organisation and sandbox, which runs and flows have in common.
    ///
    /// - Parameter client: The client that created the object; `nil` for the simulator itself.
    func writeOwners(client: String?, to json: inout JSONText) {
        json.member("createdBy", "simulator@techacct.adobe.com")
        json.member("updatedBy", "simulator@techacct.adobe.com")
        if listsClient {
            json.member("createdClient", client ?? "simulator")
            json.member("updatedClient", client ?? "simulator")
        }
        var random = SeededGenerator(seed: stableHash(sandboxName), choice: "sandbox")
        json.member("sandboxId", random.uuid())
        json.member("sandboxName", sandboxName)
        json.member("imsOrgId", organization)
    }
}
