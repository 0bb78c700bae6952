#include "install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "fail.h"
#include "files.h"
#include "lines.h"
#include "ownership.h"
#include "places.h"
#include "seal.h"

struct new_file {
    char *volume;
    char *path;
    struct owner owner;
    struct bytes content;
};

struct new_group {
    char *volume;
    gid_t gid;
};

struct new_mode {
    char *volume;
    mode_t mode;
};

struct plan {
    struct new_file *files;
    size_t file_count;
    struct new_mode *modes;
    size_t mode_count;
    struct new_group *groups;
    size_t group_count;
};

static char *volume_field(const struct line *line, size_t index)
{
    const char *name = field(line, index);

    if (strchr(name, '/') || name[0] == '.' || is_absent(line, index))
        reject(line, "VOLUME is not the name of a volume");
    return copied(name);
}

/* A user's or a group's number; `-` is 0. */
static unsigned account_field(const struct line *line, size_t index, const char *what)
{
    return is_absent(line, index) ? 0 : (unsigned)number_field(line, index, what, MOST_ACCOUNT);
}

static char *variable(const struct line *line, const char *name)
{
    char *value = *name ? getenv(name) : NULL;

    if (!value)
        reject(line, "variable %.64s is not set", name);
    return value;
}

static bool parse_key(const char *hex, unsigned char key[SEAL_KEY_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(hex) != 2 * SEAL_KEY_SIZE || strspn(hex, "0123456789abcdefABCDEF") != 2 * SEAL_KEY_SIZE)
        return false;
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++) {
        key[i] = 0;
        for (size_t j = 0; j < 2; j++) {
            char digit = hex[2 * i + j];
            if (digit >= 'A' && digit <= 'F')
                digit = (char)(digit - 'A' + 'a');
            key[i] = (unsigned char)(key[i] << 4 | (strchr(digits, digit) - digits));
        }
    }
    return true;
}

static struct bytes unsealed(const struct line *line, struct bytes sealed)
{
    unsigned char key[SEAL_KEY_SIZE];
    char *pod = variable(line, "SPILLWAY_POD");
    struct bytes opened;

    if (!parse_key(variable(line, "SPILLWAY_KEY"), key))
        reject(line, "SPILLWAY_KEY is not 64 hexadecimal digits");
    if (!seal_open(sealed, key, (struct bytes){(unsigned char *)pod, strlen(pod)}, &opened))
        reject(line, "the seal does not open: it was made with another key or for another pod");
    return opened;
}

static struct bytes source_field(const struct line *line, size_t index)
{
    const char *source = field(line, index);

    if (strncmp(source, "text:", 5) == 0)
        return decoded_text(line, source + 5, "SOURCE");
    if (strncmp(source, "sealed:", 7) == 0)
        return unsealed(line, decoded_text(line, source + 7, "SOURCE"));
    if (strncmp(source, "env64:", 6) == 0)
        return decoded_text(line, variable(line, source + 6), "the variable of SOURCE");
    if (strncmp(source, "env:", 4) == 0) {
        char *value = variable(line, source + 4);
        return (struct bytes){(unsigned char *)value, strlen(value)};
    }
    reject(line, "SOURCE is none of text:, env:, env64: and sealed:");
}

static void take_file(const struct line *line, void *into)
{
    struct plan *plan = into;
    struct new_file file = {.volume = volume_field(line, 1), .path = text_field(line, 2, "PATH")};

    if (!stays_inside(file.path))
        reject(line, "PATH leaves the volume");
    file.owner = (struct owner){mode_field(line, 3), account_field(line, 4, "UID"), account_field(line, 5, "GID")};
    file.content = source_field(line, 6);
    plan->files = grown(plan->files, plan->file_count, sizeof *plan->files);
    plan->files[plan->file_count++] = file;
}

static void take_mode(const struct line *line, void *into)
{
    struct plan *plan = into;
    struct new_mode mode = {volume_field(line, 1), mode_field(line, 2)};

    plan->modes = grown(plan->modes, plan->mode_count, sizeof *plan->modes);
    plan->modes[plan->mode_count++] = mode;
}

static void take_group(const struct line *line, void *into)
{
    struct plan *plan = into;
    struct new_group group = {volume_field(line, 1), (gid_t)number_field(line, 2, "GID", MOST_ACCOUNT)};

    plan->groups = grown(plan->groups, plan->group_count, sizeof *plan->groups);
    plan->groups[plan->group_count++] = group;
}

static const struct instruction INSTRUCTIONS[] = {
    {"file", 6, 6, take_file},
    {"mode", 2, 2, take_mode},
    {"group", 2, 2, take_group},
};

static int open_volume(const char *name)
{
    char *path = formatted("%s/volumes/%s", spillway_root(), name);
    int folder = open_folder(path);

    if (folder < 0)
        fail(EXIT_SYSTEM, "cannot open volume %s at %s: %s", name, path, strerror(errno));
    free(path);
    return folder;
}

static void put_file(const struct new_file *file)
{
    const char *name;
    int volume = open_volume(file->volume);
    int folder = open_parent_inside(volume, file->path, &name);

    if (write_file(folder, name, file->content, file->owner) < 0)
        fail(EXIT_SYSTEM, "cannot write %s of volume %s: %s", file->path, file->volume, strerror(errno));
    close(folder);
    close(volume);
}

static void give_mode(const struct new_mode *mode)
{
    int volume = open_volume(mode->volume);

    if (fchmod(volume, mode->mode) < 0)
        fail(EXIT_SYSTEM, "cannot change the mode of volume %s: %s", mode->volume, strerror(errno));
    close(volume);
}

/* Volumes that get files are those a kubelet mounts read-only: ConfigMaps, Secrets and what is projected. */
static bool gets_files(const struct plan *plan, const char *volume)
{
    for (size_t i = 0; i < plan->file_count; i++)
        if (strcmp(plan->files[i].volume, volume) == 0)
            return true;
    return false;
}

static void give_group(const struct plan *plan, const struct new_group *group)
{
    int volume = open_volume(group->volume);

    if (give_to_group(volume, group->gid, gets_files(plan, group->volume)) < 0)
        fail(EXIT_SYSTEM, "cannot give volume %s to group %u: %s", group->volume, group->gid, strerror(errno));
    close(volume);
}

static void put_helper(void)
{
    const char *name;
    char *path = formatted("%s/bin/helper", spillway_root());
    int folder = open_parent(path, &name);
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct owner owner = {0555, geteuid(), getegid()};

    if (folder < 0 || self < 0 || copy_file(self, folder, name, owner) < 0)
        fail(EXIT_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    close(self);
    close(folder);
    free(path);
}

/* Every container may write its records, whoever it runs as; none may remove another's. */
static void put_records_folder(void)
{
    char *path = records_folder();

    if (make_folders(path) < 0 || chmod(path, 01777) < 0)
        fail(EXIT_SYSTEM, "cannot make %s for all: %s", path, strerror(errno));
    free(path);
}

int install(void)
{
    struct plan plan = {0};
    size_t known = sizeof INSTRUCTIONS / sizeof *INSTRUCTIONS;

    take_lines("SPILLWAY_PLAN", INSTRUCTIONS, known, &plan);
    take_lines("SPILLWAY_PLAN_OWN", INSTRUCTIONS, known, &plan);
    put_helper();
    put_records_folder();
    for (size_t i = 0; i < plan.file_count; i++)
        put_file(&plan.files[i]);
    for (size_t i = 0; i < plan.mode_count; i++)
        give_mode(&plan.modes[i]);
    for (size_t i = 0; i < plan.group_count; i++)
        give_group(&plan, &plan.groups[i]);
    return 0;
}
