#include "build_info.h"

#ifndef SLUICE_COMMIT
#define SLUICE_COMMIT ""
#endif
#ifndef SLUICE_PACKAGES
#define SLUICE_PACKAGES ""
#endif

const char *sluice_commit(void) { return SLUICE_COMMIT; }
const char *sluice_packages(void) { return SLUICE_PACKAGES; }
