import FlowRuns
import Text

extension SimulatedSandbox {
    /// Formats the answer to `POST /runs` in the configured shape.
    func createdAnswer(_ run: SimulatedRun) -> String {
        switch configuration.answerShape {
        case .wholeRun:
            var json = JSONText()
            json.object {
                writeHead(of: run, at: run.createdAt, to: &$0)
                if let parameters = run.parameters { $0.object("params") { parameters.write(to: &$0) } }
                $0.member("etag", run.etag(at: run.createdAt))
                $0.object("metrics") { $0.object("statusSummary") { $0.member("status", "scheduled") } }
                $0.array("activities") { _ in }
            }
            return json.text
        case .items:
            var json = JSONText()
            json.object { $0.array("items") { $0.element(json: idAndEtag(run)) } }
            return json.text
        case .idOnly:
            return idAndEtag(run)
        }
    }

    /// Formats `{"id","etag"}`, the answer to a re-trigger.
    func idAndEtag(_ run: SimulatedRun) -> String {
        var json = JSONText()
        json.object {
            $0.member("id", run.id)
            $0.member("etag", run.etag(at: run.createdAt))
        }
        return json.text
    }

    /// Formats a run as an item of a list, as in the monitoring tutorial.
    func runAnswer(_ run: SimulatedRun, at now: Timestamp) -> String {
        var json = JSONText()
        json.object {
            writeHead(of: run, at: now, to: &$0)
            if let flow = flow(run.flow) {
                $0.object("flowSpec") {
                    $0.member("id", flow.specification.id)
                    $0.member("version", "1.0")
                }
            }
            $0.member("providerRefId", run.relatedID("provider reference"))
            if configuration.listedWindows == .parameters, now >= run.windowListedAt, let parameters = run.parameters {
                $0.object("params") { parameters.write(to: &$0) }
            }
            $0.member("etag", run.etag(at: now))
            RunMetrics(run: run, stage: run.stage(at: now), window: listedWindow(of: run, at: now)).write(to: &$0)
        }
        return json.text
    }

    private func writeHead(of run: SimulatedRun, at now: Timestamp, to json: inout JSONText) {
        json.member("id", run.id)
        json.member("createdAt", run.createdAt.milliseconds)
        json.member("updatedAt", run.updatedAt(now).milliseconds)
        configuration.writeOwners(client: run.client, to: &json)
        json.member("flowId", run.flow.description)
    }
}
