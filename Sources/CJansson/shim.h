// Jansson (libjansson-dev): the reader of manifests and configuration. Nothing else uses it.
#ifndef SLUICE_CJANSSON_SHIM_H
#define SLUICE_CJANSSON_SHIM_H

#include <jansson.h>

#endif
