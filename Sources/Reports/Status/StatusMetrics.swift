import FlowRuns

extension StatusReport {
    /// The status as gauges for a metrics scraper, with the target and the flow as labels.
    var metrics: MetricsText {
        var metrics = MetricsText()
        metrics.gauge(
            "sluice_flow_windows", "Windows and reruns by what became of them.",
            flows.flatMap { flow in
                StatusFigure.allCases.map { figure in
                    (labels(of: flow) + [("state", figure.rawValue)], "\(flow.counts[figure])")
                }
            })
        metrics.gauge(
            "sluice_flow_there_ratio", "The share of due time that runs have succeeded for.", unit: "ratio",
            samples { $0.share.map { "\($0.value)" } })
        metrics.gauge(
            "sluice_flow_behind_seconds", "How much earlier the flow's latest data ends than the latest due window.",
            unit: "seconds", samples { "\($0.behind.wholeSeconds)" })
        metrics.gauge(
            "sluice_flow_missing_windows", "Due windows that were never requested.", samples { "\($0.missing)" })
        metrics.gauge(
            "sluice_flow_missing_seconds", "How long the due windows are together that were never requested.",
            unit: "seconds", samples { "\($0.missingTime.wholeSeconds)" })
        metrics.gauge(
            "sluice_flow_troubles", "Windows that are missing, incomplete or ingested too often, by kind and cause.",
            flows.flatMap { flow in
                flow.troubles.map { trouble in
                    let words = [
                        ("kind", trouble.kind.rawValue), ("cause", trouble.cause),
                        ("needs_person", "\(trouble.kind.needsPerson)"),
                    ]
                    return (labels(of: flow) + words, "\(trouble.count)")
                }
            })
        metrics.gauge(
            "sluice_flow_repeated_windows", "Windows that were run more often than declared.",
            samples { "\($0.repeated.count)" })
        metrics.gauge(
            "sluice_flow_last_window_end_timestamp_seconds", "The end of the last window that was ingested.",
            unit: "seconds", samples { $0.lastWindow.map { "\($0.end.seconds)" } })
        metrics.gauge(
            "sluice_flow_refreshed_timestamp_seconds", "When the flow was last compared with the service.",
            unit: "seconds", samples { $0.refreshedAt.map { "\($0.seconds)" } })
        return metrics
    }

    private func samples(
        _ value: (FlowStatus) -> String?
    ) -> [(labels: [(name: String, value: String)], value: String)] {
        flows.compactMap { flow in value(flow).map { (labels(of: flow), $0) } }
    }

    private func labels(of flow: FlowStatus) -> [(name: String, value: String)] {
        [("target", target), ("flow", flow.title), ("flow_id", flow.id.description)]
    }
}
