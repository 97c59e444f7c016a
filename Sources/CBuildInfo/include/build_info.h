/// The commit that the program was built from; empty where the build does not tell. `.ci/package` sets SLUICE_COMMIT.
const char *sluice_commit(void);
