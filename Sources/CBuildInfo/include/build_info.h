/// The commit that the program was built from; empty if unknown. `.ci/package` sets SLUICE_COMMIT.
const char *sluice_commit(void);

/// The Swift packages that the build resolved, such as "swift-log/1.16.2 swift-nio/2.101.2"; empty if unknown.
/// `.ci/package` sets SLUICE_PACKAGES.
const char *sluice_packages(void);
