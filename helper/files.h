/* Files and folders: opened step by step, written beside their place and renamed into it. */
#ifndef SPILLWAY_FILES_H
#define SPILLWAY_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "memory.h"

/* Mode and owner of a new file. */
struct owner {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* Whether a relative path has only plain names: no "", ".", "..". */
bool stays_inside(const char *path);

/* Open a folder. -1 and errno where there is none. */
int open_folder(const char *path);

/* Open (and make, 0755) the folders that lead to `path` below `root`, following no symbolic link; `*name` becomes
   the last name. Ends the program where one is no folder. The caller closes the result. */
int open_parent_inside(int root, const char *path, const char **name);

/* As `mkdir -p`: symbolic links are followed. -1 and errno where it cannot. */
int make_folders(const char *path);

/* Open the folder of an absolute path, made where it is missing; `*name` becomes the last name. -1 and errno where
   it cannot. */
int open_parent(const char *path, const char **name);

/* -1 and errno where the file cannot be had whole and in place. */
int write_file(int folder, const char *name, struct bytes content, struct owner owner);

/* The same with all that can be read from `from`. A target that is a mount point is overwritten where it is. */
int copy_file(int from, int folder, const char *name, struct owner owner);

/* -1 and errno where not all of it could be written. */
int write_all(int file, const void *data, size_t size);

/* The content of a file of at most `most` bytes from where it stands; false and errno otherwise. */
bool read_whole(int file, size_t most, struct bytes *content);

#endif
