/*
 * A disk that keeps what was synced and, of the rest, whatever it likes.
 *
 * Preloaded into the gateway (LD_PRELOAD), it makes itself SQLite's default file layer. What SQLite writes stays in this
 * process's memory, in sectors of 512 bytes, until SQLite asks for a sync; meanwhile sectors are written back at random,
 * in any order, as a kernel does. So when the process is killed, the files hold everything that was synced and a random
 * part of what was not: torn frames, later writes without earlier ones, sizes that do not fit. A kill alone shows
 * nothing of the kind, because the kernel's page cache outlives the process.
 *
 * Locks and shared memory are those of the real file layer. What is known of a file is shared by all its connections.
 *
 * TORN_COUNTS names a file where the counts below are kept, for whoever looks after the kill.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

/* Shared with the harness through the file, in this layout. */
struct counts {
    uint64_t syncs;
    uint64_t sectors_synced;
    uint64_t sectors_written_back;
    /* Not synced now; after the kill, what was not synced then. */
    uint64_t sectors_unsynced;
};

/* One file, whoever has it open. */
struct cache {
    struct cache *next;
    char *path;
    ino_t inode;
    /* Never closed while the file may be a database: closing drops the process's locks on it. */
    int descriptor;
    int64_t size;
    /* Up to where the real file's bytes count; beyond, a truncation that is not synced has cut them off. */
    int64_t genuine;
    /* Sectors that are not synced: by number, and in a list. */
    unsigned char **sectors;
    size_t capacity;
    size_t *dirty;
    size_t dirty_count, dirty_capacity;
    /* One of `ways`, drawn anew at each sync. */
    unsigned writes_back;
    pthread_mutex_t lock;
};

struct torn_file {
    sqlite3_file base;
    struct cache *cache;
    sqlite3_file *genuine;
};

static sqlite3_vfs *genuine_vfs;
static sqlite3_vfs torn_vfs;
static struct cache *caches;
static pthread_mutex_t caches_lock = PTHREAD_MUTEX_INITIALIZER;
static struct counts *counts;
static _Thread_local uint64_t chance_state;

/* One write in so many has some sectors written back; 0 is none. */
static const unsigned ways[] = {0, 1, 3, 30};

static uint32_t chance(uint32_t below) {
    if (chance_state == 0) sqlite3_randomness(sizeof chance_state, &chance_state);
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance_state >> 33) % below;
}

static void add(uint64_t *count, int64_t amount) { __atomic_fetch_add(count, (uint64_t)amount, __ATOMIC_RELAXED); }

static void *sure(void *memory) {
    if (!memory) abort();
    return memory;
}

/* Bytes of the real file, as far as they count; zeros where there are none. */
static int read_genuine(struct cache *cache, void *bytes, size_t count, int64_t offset) {
    memset(bytes, 0, count);
    if (offset >= cache->genuine) return SQLITE_OK;
    if ((int64_t)count > cache->genuine - offset) count = (size_t)(cache->genuine - offset);
    return pread(cache->descriptor, bytes, count, offset) < 0 ? SQLITE_IOERR_READ : SQLITE_OK;
}

/* The sector's unsynced content, begun with what the real file has. */
static unsigned char *dirty_sector(struct cache *cache, size_t number) {
    if (number >= cache->capacity) {
        size_t capacity = (number + 1) * 2;
        cache->sectors = sure(realloc(cache->sectors, capacity * sizeof *cache->sectors));
        memset(cache->sectors + cache->capacity, 0, (capacity - cache->capacity) * sizeof *cache->sectors);
        cache->capacity = capacity;
    }
    if (!cache->sectors[number]) {
        unsigned char *sector = sure(malloc(SECTOR));
        if (read_genuine(cache, sector, SECTOR, (int64_t)number * SECTOR) != SQLITE_OK) abort();
        cache->sectors[number] = sector;
        if (cache->dirty_count == cache->dirty_capacity) {
            cache->dirty_capacity = cache->dirty_capacity * 2 + 64;
            cache->dirty = sure(realloc(cache->dirty, cache->dirty_capacity * sizeof *cache->dirty));
        }
        cache->dirty[cache->dirty_count++] = number;
        add(&counts->sectors_unsynced, 1);
    }
    return cache->sectors[number];
}

/* Copies a sector to the real file; it stays unsynced. */
static int write_sector(struct cache *cache, size_t number) {
    int64_t start = (int64_t)number * SECTOR;
    int64_t count = cache->size - start < SECTOR ? cache->size - start : SECTOR;
    if (count <= 0) return SQLITE_OK;
    return pwrite(cache->descriptor, cache->sectors[number], (size_t)count, start) == count ? SQLITE_OK
                                                                                            : SQLITE_IOERR_WRITE;
}

static void forget_dirty(struct cache *cache) {
    for (size_t index = 0; index < cache->dirty_count; index++) {
        free(cache->sectors[cache->dirty[index]]);
        cache->sectors[cache->dirty[index]] = NULL;
    }
    add(&counts->sectors_unsynced, -(int64_t)cache->dirty_count);
    cache->dirty_count = 0;
}

/* Makes the real file what it should be. A kill in the middle leaves some of it. */
static int flush(struct cache *cache) {
    if (ftruncate(cache->descriptor, cache->genuine < cache->size ? cache->genuine : cache->size) != 0) {
        return SQLITE_IOERR_FSYNC;
    }
    for (size_t left = cache->dirty_count; left > 0; left--) {
        size_t chosen = chance((uint32_t)left);
        size_t number = cache->dirty[chosen];
        cache->dirty[chosen] = cache->dirty[left - 1];
        cache->dirty[left - 1] = number;
        if (write_sector(cache, number) != SQLITE_OK) return SQLITE_IOERR_FSYNC;
    }
    if (ftruncate(cache->descriptor, cache->size) != 0) return SQLITE_IOERR_FSYNC;
    add(&counts->syncs, 1);
    add(&counts->sectors_synced, (int64_t)cache->dirty_count);
    forget_dirty(cache);
    cache->genuine = cache->size;
    return SQLITE_OK;
}

static struct cache *cache_of(sqlite3_file *file) { return ((struct torn_file *)file)->cache; }
static sqlite3_file *genuine_of(sqlite3_file *file) { return ((struct torn_file *)file)->genuine; }

static int torn_close(sqlite3_file *file) {
    /* The cache stays: closing a file does not sync it. */
    return genuine_of(file)->pMethods->xClose(genuine_of(file));
}

static int torn_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    struct cache *cache = cache_of(file);
    pthread_mutex_lock(&cache->lock);
    int result = read_genuine(cache, bytes, (size_t)count, offset);
    for (int64_t at = offset; at < offset + count;) {
        size_t number = (size_t)(at / SECTOR), within = (size_t)(at % SECTOR);
        size_t length = SECTOR - within;
        if ((int64_t)length > offset + count - at) length = (size_t)(offset + count - at);
        if (number < cache->capacity && cache->sectors[number]) {
            memcpy((char *)bytes + (at - offset), cache->sectors[number] + within, length);
        }
        at += (int64_t)length;
    }
    if (result == SQLITE_OK && offset + count > cache->size) {
        int64_t there = cache->size > offset ? cache->size - offset : 0;
        memset((char *)bytes + there, 0, (size_t)(count - there));
        result = SQLITE_IOERR_SHORT_READ;
    }
    pthread_mutex_unlock(&cache->lock);
    return result;
}

static int torn_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct cache *cache = cache_of(file);
    pthread_mutex_lock(&cache->lock);
    for (int64_t at = offset; at < offset + count;) {
        size_t within = (size_t)(at % SECTOR), length = SECTOR - within;
        if ((int64_t)length > offset + count - at) length = (size_t)(offset + count - at);
        memcpy(dirty_sector(cache, (size_t)(at / SECTOR)) + within, (const char *)bytes + (at - offset), length);
        at += (int64_t)length;
    }
    if (offset + count > cache->size) cache->size = offset + count;
    int result = SQLITE_OK;
    if (cache->writes_back > 0 && chance(cache->writes_back) == 0) {
        for (unsigned some = 1 + chance(8); some > 0 && result == SQLITE_OK; some--) {
            result = write_sector(cache, cache->dirty[chance((uint32_t)cache->dirty_count)]);
            add(&counts->sectors_written_back, 1);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return result;
}

static int torn_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct cache *cache = cache_of(file);
    pthread_mutex_lock(&cache->lock);
    if (size < cache->size) {
        cache->size = size;
        if (size < cache->genuine) cache->genuine = size;
        size_t kept = 0;
        for (size_t index = 0; index < cache->dirty_count; index++) {
            size_t number = cache->dirty[index];
            int64_t start = (int64_t)number * SECTOR;
            if (start >= size) {
                free(cache->sectors[number]);
                cache->sectors[number] = NULL;
                continue;
            }
            if (start + SECTOR > size) memset(cache->sectors[number] + (size - start), 0, (size_t)(start + SECTOR - size));
            cache->dirty[kept++] = number;
        }
        add(&counts->sectors_unsynced, (int64_t)kept - (int64_t)cache->dirty_count);
        cache->dirty_count = kept;
    } else {
        cache->size = size;
    }
    pthread_mutex_unlock(&cache->lock);
    return SQLITE_OK;
}

static int torn_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct cache *cache = cache_of(file);
    /* As long as a disk takes, so that the kill often comes while a sync is under way. */
    usleep(100 + chance(2000));
    pthread_mutex_lock(&cache->lock);
    int result = flush(cache);
    cache->writes_back = ways[chance(4)];
    pthread_mutex_unlock(&cache->lock);
    return result;
}

static int torn_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct cache *cache = cache_of(file);
    pthread_mutex_lock(&cache->lock);
    *size = cache->size;
    pthread_mutex_unlock(&cache->lock);
    return SQLITE_OK;
}

static int torn_control(sqlite3_file *file, int operation, void *argument) {
    /* What would change or map the real file behind the cache is not done. */
    if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
    if (operation == SQLITE_FCNTL_MMAP_SIZE) return SQLITE_NOTFOUND;
    return genuine_of(file)->pMethods->xFileControl(genuine_of(file), operation, argument);
}

static int torn_lock(sqlite3_file *file, int level) { return genuine_of(file)->pMethods->xLock(genuine_of(file), level); }
static int torn_unlock(sqlite3_file *file, int level) {
    return genuine_of(file)->pMethods->xUnlock(genuine_of(file), level);
}
static int torn_reserved(sqlite3_file *file, int *answer) {
    return genuine_of(file)->pMethods->xCheckReservedLock(genuine_of(file), answer);
}
static int torn_sector_size(sqlite3_file *file) { return genuine_of(file)->pMethods->xSectorSize(genuine_of(file)); }
static int torn_characteristics(sqlite3_file *file) {
    return genuine_of(file)->pMethods->xDeviceCharacteristics(genuine_of(file)) & ~SQLITE_IOCAP_BATCH_ATOMIC;
}
static int torn_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
    return genuine_of(file)->pMethods->xShmMap(genuine_of(file), region, size, extend, memory);
}
static int torn_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return genuine_of(file)->pMethods->xShmLock(genuine_of(file), offset, count, flags);
}
static void torn_shm_barrier(sqlite3_file *file) { genuine_of(file)->pMethods->xShmBarrier(genuine_of(file)); }
static int torn_shm_unmap(sqlite3_file *file, int remove) {
    return genuine_of(file)->pMethods->xShmUnmap(genuine_of(file), remove);
}

/* Version 2: no memory mapping of the file, which would go past the cache. */
static const sqlite3_io_methods torn_methods = {
    .iVersion = 2, .xClose = torn_close, .xRead = torn_read, .xWrite = torn_write, .xTruncate = torn_truncate,
    .xSync = torn_sync, .xFileSize = torn_size, .xLock = torn_lock, .xUnlock = torn_unlock,
    .xCheckReservedLock = torn_reserved, .xFileControl = torn_control, .xSectorSize = torn_sector_size,
    .xDeviceCharacteristics = torn_characteristics, .xShmMap = torn_shm_map, .xShmLock = torn_shm_lock,
    .xShmBarrier = torn_shm_barrier, .xShmUnmap = torn_shm_unmap,
};

/* The file's cache. One whose file has been replaced under its name is begun anew. */
static struct cache *find_cache(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return NULL;
    for (struct cache *cache = caches; cache; cache = cache->next) {
        if (cache->inode == status.st_ino && strcmp(cache->path, path) == 0) return cache;
    }
    return NULL;
}

static struct cache *make_cache(const char *path) {
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) return NULL;
    struct cache *cache = sure(calloc(1, sizeof *cache));
    cache->path = sure(strdup(path));
    cache->inode = status.st_ino;
    cache->descriptor = descriptor;
    cache->size = cache->genuine = status.st_size;
    cache->writes_back = ways[chance(4)];
    pthread_mutex_init(&cache->lock, NULL);
    cache->next = caches;
    caches = cache;
    return cache;
}

static int torn_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    struct torn_file *torn = (struct torn_file *)file;
    if (!path || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))) {
        return genuine_vfs->xOpen(genuine_vfs, path, file, flags, out_flags);
    }
    torn->base.pMethods = NULL;
    torn->genuine = (sqlite3_file *)(torn + 1);
    int result = genuine_vfs->xOpen(genuine_vfs, path, torn->genuine, flags, out_flags);
    if (result != SQLITE_OK) return result;
    pthread_mutex_lock(&caches_lock);
    torn->cache = find_cache(path);
    if (!torn->cache) torn->cache = make_cache(path);
    pthread_mutex_unlock(&caches_lock);
    if (!torn->cache) {
        torn->genuine->pMethods->xClose(torn->genuine);
        return SQLITE_CANTOPEN;
    }
    torn->base.pMethods = &torn_methods;
    return SQLITE_OK;
}

static int torn_delete(sqlite3_vfs *vfs, const char *path, int sync_directory) {
    (void)vfs;
    pthread_mutex_lock(&caches_lock);
    struct cache *cache = find_cache(path);
    if (cache) {
        pthread_mutex_lock(&cache->lock);
        /* Whoever still has it open goes on with a file that no name leads to. */
        cache->inode = 0;
        forget_dirty(cache);
        pthread_mutex_unlock(&cache->lock);
    }
    pthread_mutex_unlock(&caches_lock);
    return genuine_vfs->xDelete(genuine_vfs, path, sync_directory);
}

static int torn_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    (void)vfs;
    int result = genuine_vfs->xAccess(genuine_vfs, path, flags, answer);
    if (result == SQLITE_OK && !*answer && flags == SQLITE_ACCESS_EXISTS) {
        /* The real layer takes an empty file for none; this one may only look empty. */
        pthread_mutex_lock(&caches_lock);
        struct cache *cache = find_cache(path);
        if (cache) *answer = cache->size > 0;
        pthread_mutex_unlock(&caches_lock);
    }
    return result;
}

static struct counts *map_counts(void) {
    static struct counts private;
    const char *path = getenv("TORN_COUNTS");
    int descriptor = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (descriptor < 0 || ftruncate(descriptor, sizeof *counts) != 0) return &private;
    void *shared = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (shared == MAP_FAILED) return &private;
    memset(shared, 0, sizeof *counts);
    return shared;
}

__attribute__((constructor)) static void install(void) {
    genuine_vfs = sqlite3_vfs_find(NULL);
    if (!genuine_vfs) abort();
    counts = map_counts();
    torn_vfs = *genuine_vfs;
    torn_vfs.zName = "torn";
    torn_vfs.pNext = NULL;
    torn_vfs.szOsFile = (int)sizeof(struct torn_file) + genuine_vfs->szOsFile;
    torn_vfs.xOpen = torn_open;
    torn_vfs.xDelete = torn_delete;
    torn_vfs.xAccess = torn_access;
    if (sqlite3_vfs_register(&torn_vfs, 1) != SQLITE_OK) abort();
}
