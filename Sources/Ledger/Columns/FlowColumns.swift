import FlowRuns

/// The columns of a flow's record, apart from its target and ID. This list is the only one: see ``LedgerColumn``.
package enum FlowColumns {
    package static let all: [LedgerColumn<FlowRecord>] = [
        LedgerColumn(
            "revision", "revision", { $0.revision.number }, { $0.revision.number = $1 }, isRequired: true,
            check: "revision > 0"),
        LedgerColumn("contacted_at", "contactedAt", { $0.contactedAt }, { $0.contactedAt = $1 }),
        LedgerColumn(
            "column_name", "deltaColumn.name", { $0.deltaColumn?.name },
            { $0.deltaColumn = $1.map { DeltaColumn(name: $0) } }, isRequired: true),
        LedgerColumn(
            "column_date_format", "deltaColumn.dateFormat", { $0.deltaColumn?.dateFormat },
            { $0.deltaColumn?.dateFormat = $1 }),
        LedgerColumn(
            "column_timezone", "deltaColumn.timezone", { $0.deltaColumn?.timezone }, { $0.deltaColumn?.timezone = $1 }),
        LedgerColumn("token", "token", { $0.revision.token }, { $0.revision.token = $1 }, omitted: "", isKey: true),
        LedgerColumn("compared_at", "comparedAt", { $0.comparedAt }, { $0.comparedAt = $1 }),
        LedgerColumn("newest_run_at", "newestRunAt", { $0.newestRunAt }, { $0.newestRunAt = $1 }),
        LedgerColumn(
            "needs_recheck", "needsRecheck", { $0.needsRecheck }, { $0.needsRecheck = $1 }, omitted: false
        ),
    ]
    static let line = LineColumns(all)
}
