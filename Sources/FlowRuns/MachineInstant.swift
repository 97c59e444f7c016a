/// An instant on the boot clock of one machine. Unlike a monotonic instant of one process, it can be stored and compared
/// by later processes of the same boot; unlike the wall clock, it is never set.
package struct MachineInstant: Hashable, Sendable {
    /// Identifies the boot, such as Linux's `/proc/sys/kernel/random/boot_id`.
    package let boot: String
    /// Since the machine was booted, including the time it slept.
    package let sinceBoot: Duration

    package init(boot: String, sinceBoot: Duration) {
        self.boot = boot
        self.sinceBoot = sinceBoot
    }

    /// The time that has passed since `earlier`; `nil` when the machine was booted in between, or the instants contradict
    /// each other, as after a restored snapshot of a virtual machine.
    package func elapsed(since earlier: MachineInstant) -> Duration? {
        guard boot == earlier.boot, sinceBoot >= earlier.sinceBoot else { return nil }
        return sinceBoot - earlier.sinceBoot
    }
}
