/* A stand-in for NVIDIA's driver library (libnvidia-ml.so.1), for tests without a GPU.
 *
 * It answers from the variable FAKE_NVML, which it reads at each question: "Key=value;Key=value;". A number is the
 * answer of the function nvmlDeviceGet<Key>; "!4" is the error 4 in its place; a function without a key says
 * "Not Supported". Lists are divided by commas. Further keys: Driver, Cuda, Uuid (of the card), Part (UUID of a MIG
 * instance), and Init ("!9": no driver is loaded). OLD leaves out what drivers before 510 lack.
 *
 * Layouts and names are those of NVIDIA's public header nvml.h.
 */
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };

typedef unsigned long long u64;
typedef struct { u64 reference_us, violation_ns; } Violation;
typedef struct { unsigned pid; u64 memory; unsigned instance, compute; } Process;
typedef struct { unsigned gpu, memory; } Utilization;

typedef struct { u64 total, free, used; } Memory;

static char card, part; /* handles */

/* Return the text of a key, or NULL; it ends at ';'. */
static const char *text(const char *key) {
    const char *all = getenv("FAKE_NVML");
    size_t length = strlen(key);
    for (; all && *all; all = strchr(all, ';') ? strchr(all, ';') + 1 : NULL)
        if (!strncmp(all, key, length) && all[length] == '=') return all + length + 1;
    return NULL;
}

/* Write the number at a position of a key's list; return NVML's status. */
static int number(const char *key, int position, u64 *out) {
    const char *value = text(key);
    for (; value && position > 0; position--) {
        value += strcspn(value, ",;");
        value = *value == ',' ? value + 1 : NULL;
    }
    if (!value || *value == ';' || *value == ',') return NOT_SUPPORTED;
    if (*value == '!') return atoi(value + 1);
    *out = strtoull(value, NULL, 0);
    return SUCCESS;
}

static int small(const char *key, int position, unsigned *out) {
    u64 value = 0;
    int status = number(key, position, &value);
    if (status == SUCCESS) *out = (unsigned)value;
    return status;
}

static int copy(const char *key, char *out, unsigned size) {
    const char *value = text(key);
    if (!value) return NOT_SUPPORTED;
    size_t length = strcspn(value, ";");
    if (length >= size) return INSUFFICIENT_SIZE;
    memcpy(out, value, length);
    out[length] = 0;
    return SUCCESS;
}

static int same(const char *key, const char *wanted) {
    char known[96];
    return copy(key, known, sizeof known) == SUCCESS && !strcmp(known, wanted);
}

static int processes(const char *key, unsigned *count, Process *out) {
    unsigned room = *count;
    u64 pid;
    int status = number(key, 0, &pid);
    if (status == NOT_SUPPORTED && text(key)) { /* an empty list */
        *count = 0;
        return SUCCESS;
    }
    if (status != SUCCESS) return status;
    for (*count = 0; number(key, (int)*count, &pid) == SUCCESS; ++*count)
        if (out && *count < room) out[*count] = (Process){(unsigned)pid, 1 << 29, ~0u, ~0u};
    return *count <= room && out ? SUCCESS : INSUFFICIENT_SIZE;
}

int nvmlInitWithFlags(unsigned flags) {
    u64 ignored = flags;
    return text("Init") ? number("Init", 0, &ignored) : SUCCESS;
}
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int status) { return status == NOT_SUPPORTED ? "Not Supported" : "another error"; }
int nvmlSystemGetDriverVersion(char *out, unsigned size) { return copy("Driver", out, size); }
int nvmlSystemGetCudaDriverVersion_v2(int *out) { return small("Cuda", 0, (unsigned *)out); }

int nvmlDeviceGetHandleByUUID(const char *uuid, void **out) {
    *out = same("Uuid", uuid) ? &card : same("Part", uuid) ? &part : NULL;
    return *out ? SUCCESS : NOT_FOUND;
}
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *handle, void **out) {
    *out = &card;
    return handle == &part ? SUCCESS : NOT_SUPPORTED;
}

/* A MIG instance has no clocks, power or modes of its own: only its card answers. */
#define NUMBER(KEY) \
    int nvmlDeviceGet##KEY(void *handle, unsigned *out) { \
        return handle == &card ? small(#KEY, 0, out) : NOT_SUPPORTED; \
    }
#define NUMBER_OF(KEY) \
    int nvmlDeviceGet##KEY(void *handle, int kind, unsigned *out) { \
        (void)kind; \
        return handle == &card ? small(#KEY, 0, out) : NOT_SUPPORTED; \
    }
#define NUMBERS(KEY) \
    int nvmlDeviceGet##KEY(void *handle, unsigned *first, unsigned *second) { \
        int status = handle == &card ? small(#KEY, 0, first) : NOT_SUPPORTED; \
        return status == SUCCESS ? small(#KEY, 1, second) : status; \
    }
#define BITS(KEY) \
    int nvmlDeviceGet##KEY(void *handle, u64 *out) { \
        return handle == &card ? number(#KEY, 0, out) : NOT_SUPPORTED; \
    }
/* The processes of an instance stand under its own key. */
#define PROCESSES(KEY, VERSION) \
    int nvmlDeviceGet##KEY##VERSION(void *handle, unsigned *count, Process *out) { \
        return processes(handle == &card ? #KEY : "Part" #KEY, count, out); \
    }

NUMBER(PowerUsage)
NUMBER(EnforcedPowerLimit)
NUMBER(PowerManagementDefaultLimit)
NUMBER(ComputeMode)
NUMBER(PersistenceMode)
NUMBER(CurrPcieLinkWidth)
NUMBER(MaxPcieLinkWidth)
NUMBER_OF(ClockInfo)
NUMBER_OF(MaxClockInfo)
NUMBER_OF(Temperature)
NUMBER_OF(TemperatureThreshold)
NUMBERS(EccMode)
NUMBERS(MigMode)
BITS(CurrentClocksThrottleReasons)
#ifdef OLD
PROCESSES(ComputeRunningProcesses, _v2)
PROCESSES(GraphicsRunningProcesses, _v2)
#else
BITS(CurrentClocksEventReasons)
PROCESSES(ComputeRunningProcesses, _v3)
PROCESSES(GraphicsRunningProcesses, _v3)
#endif

int nvmlDeviceGetViolationStatus(void *handle, int policy, Violation *out) {
    *out = (Violation){0, 0};
    return handle == &card ? number("ViolationStatus", policy, &out->violation_ns) : NOT_SUPPORTED;
}
int nvmlDeviceGetMemoryInfo(void *handle, Memory *out) {
    *out = (Memory){0, 0, 0};
    return number(handle == &card ? "MemoryInfo" : "PartMemoryInfo", 0, &out->used);
}
int nvmlDeviceGetUtilizationRates(void *handle, Utilization *out) {
    out->memory = 0;
    return handle == &card ? small("UtilizationRates", 0, &out->gpu) : NOT_SUPPORTED;
}
