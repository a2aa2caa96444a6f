/*
 * What glibc (2.34 and later) offers for starting a program and shows to GNU sources only, which Swift's are not.
 */
#ifndef SLUICE_CSPAWN_SHIM_H
#define SLUICE_CSPAWN_SHIM_H

#include <spawn.h>

extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);

#endif
