import FlowRuns

extension StatusReport {
    /// The status as gauges for a metrics scraper, with the target and the flow as labels.
    var metrics: MetricsText {
        var metrics = MetricsText()
        metrics.gauge(
            "sluice_flow_windows", "Windows and reruns by what became of them.",
            flows.flatMap { flow in
                StatusFigure.allCases.map { figure in
                    (labels(of: flow) + [("state", figure.rawValue)], Int64(flow.counts[figure]))
                }
            })
        metrics.gauge(
            "sluice_flow_behind_windows", "Due windows that were never requested.", samples { Int64($0.missing) })
        metrics.gauge(
            "sluice_flow_behind_seconds", "How long the due windows are together that were never requested.",
            unit: "seconds", samples { $0.missingTime.wholeSeconds })
        metrics.gauge(
            "sluice_flow_repeated_windows", "Windows that were run more often than declared.",
            samples { Int64($0.repeated.count) })
        metrics.gauge(
            "sluice_flow_last_window_end_timestamp_seconds", "The end of the last window that was ingested.",
            unit: "seconds", samples { $0.lastWindow?.end.seconds })
        metrics.gauge(
            "sluice_flow_refreshed_timestamp_seconds", "When the flow was last compared with the service.",
            unit: "seconds", samples { $0.refreshedAt?.seconds })
        return metrics
    }

    private func samples(
        _ value: (FlowStatus) -> Int64?
    ) -> [(labels: [(name: String, value: String)], value: Int64)] {
        flows.compactMap { flow in value(flow).map { (labels(of: flow), $0) } }
    }

    private func labels(of flow: FlowStatus) -> [(name: String, value: String)] {
        [("target", target), ("flow", flow.title), ("flow_id", flow.id.description)]
    }
}
