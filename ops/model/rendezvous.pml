/* The life of a job, checked in every order in which it can happen: `make model` (needs spin and a C compiler).
 *
 * Two updates of one event, two workers, one person who edits the same event, answers that are lost, and a crash of
 * either worker between any two of its steps (CRASHES in all). One atomic block is one Lua script of workers/lua, or
 * one call that Exchange applies or refuses as a whole. What is left out: Redis losing what it acknowledged, backends
 * that ignore versions, retry times, and lanes.
 *
 *   claim    head of the line, queued or waiting: running, with a new fence
 *   read     the event's version, content and marker as they stand; our id in it: applied before
 *   plan     what stands is neither our base nor ours: a conflict, unless it stood so when we first read
 *   intend   the base is recorded, if the fence still holds
 *   write    applied only against the version just read (If-Match, NeverOverwrite); it stamps the marker. Its answer
 *            may be lost, and it may arrive when its sender is dead or its lease is over
 *   settle   succeeded or dead, if the fence still holds; the next of the line may run
 *   sweep    a lease ends: its job waits again - whether its worker is dead or only slow
 *
 * Asserted at every write: each update is applied once at most, in the order of acceptance, and nothing that the person
 * wrote and we have not seen is overwritten. At the end of every run: both updates are settled, what is called
 * succeeded has been applied, and what is called dead has not (it is dead by a conflict only).
 * Runs always end: crashes, edits, lost answers and leases that end too early are limited, so that an endless loop of
 * ours would show as a cycle (checked with -DNP: no non-progress cycles). `spin -DNO_MARKER`, `-DNO_VERSION` and
 * `-DNO_FENCE` take one safeguard away each, and the first two break an assertion (`make model` shows that they do).
 */

#define JOBS    2
#define WORKERS 2
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef EDITS
#define EDITS 1
#endif
#ifndef LOST
#define LOST 1
#endif
#ifndef EARLY
#define EARLY 1
#endif

#define PERSON  9                      /* who wrote the content: 0 as it was, 1 and 2 the updates, 9 the person */
#define NOBODY  7

mtype = { waiting, running, succeeded, dead };

/* the store */
mtype state[JOBS] = waiting;
byte fence[JOBS];
bool intended[JOBS];                   /* a base is recorded: a write may have been sent */
byte base[JOBS];                       /* the content that the first attempt read */
byte head;                             /* of the line; JOBS: it is empty */

/* Exchange */
byte version;
byte content;
bool marker[JOBS];
byte applied[JOBS];                    /* the judge's own count, which nobody else reads */

byte crashes, edits, lost, early;
byte holder[JOBS] = NOBODY;            /* which worker holds the lease; what sweep cannot know, and may get wrong */

#define LIVE(j, f)  (state[j] == running && fence[j] == f)
#ifdef NO_FENCE
#define MAY(j, f)   (state[j] == running)
#else
#define MAY(j, f)   LIVE(j, f)
#endif
#ifdef NO_VERSION
#define CURRENT(v)  true
#else
#define CURRENT(v)  (version == v)
#endif
#ifdef NO_MARKER
#define BEARS(j)    false
#else
#define BEARS(j)    marker[j]
#endif

inline apply(j, saw) {
    assert(applied[j] == 0);                            /* once */
    assert(j == 0 || state[0] != waiting || applied[0] > 0);   /* in order: the earlier one is done or given up */
    assert(content == saw);                             /* nothing is overwritten that we have not seen */
    applied[j]++;
    marker[j] = true;
    content = j + 1;
    version++
}

inline settle(j, f, how) {
    if
    :: MAY(j, f) -> state[j] = how; holder[j] = NOBODY; if :: head == j -> head++ :: else fi
    :: else
    fi
}

/* a crash: all that the worker knew is gone, its lease ends by itself */
#define CRASH  :: atomic { crashes < CRASHES -> crashes++; goto reborn }

proctype worker(byte me) {
    byte j, mine, saw, seen;
    bool again;

reborn:
    atomic { j = 0; mine = 0; saw = 0; seen = 0; again = false }
end:
progress:
    do
    :: atomic { head == JOBS -> break }
    :: atomic {                                         /* claim.lua */
        head < JOBS && state[head] == waiting ->
        j = head; state[j] = running; fence[j]++; mine = fence[j]; holder[j] = me
       }

       do                                               /* the rounds of an attempt */
       :: if
          CRASH
          :: atomic { saw = version; seen = content }   /* read */
          fi;
          if
          :: atomic { BEARS(j) -> settle(j, mine, succeeded); break }
          :: atomic {                                   /* plan: somebody else's value on our property */
               !BEARS(j) && intended[j] && seen != base[j] -> settle(j, mine, dead); break
             }
          :: else ->
             if
             CRASH
             :: atomic {                                /* intend.lua */
                  if
                  :: MAY(j, mine) ->
                     if :: !intended[j] -> base[j] = seen; intended[j] = true :: else fi
                  :: else -> again = true
                  fi
                }
             fi;
             if
             :: again -> break                          /* the lease is lost: nothing is sent */
             :: else
             fi;
             if
             CRASH
             :: atomic { CURRENT(saw) -> apply(j, seen) }                 /* and the answer comes */
                if
                CRASH
                :: atomic { settle(j, mine, succeeded) }
                fi;
                break
             :: atomic { CURRENT(saw) && lost < LOST -> lost++; apply(j, seen) }     /* the answer is lost */
                atomic { if :: MAY(j, mine) -> state[j] = waiting; holder[j] = NOBODY :: else fi }
                break
             :: atomic { !CURRENT(saw) -> skip }        /* the version moved: look again */
             fi
          fi
       od;
       atomic { j = 0; mine = 0; saw = 0; seen = 0; again = false }
    od
}

/* The person changes the same property, at any moment or never. */
proctype person() {
    do
    :: atomic { edits < EDITS -> edits++; content = PERSON; version++ }
    :: break
    od
}

/* sweep.lua: leases end. Of a worker that has died: for certain. Of one that is only slow: EARLY times. */
proctype sweep() {
    byte j;
end:
    do
    :: atomic { head == JOBS -> break }
    :: atomic { head < JOBS && state[head] == running && crashes > 0 && early <= EARLY ->
                state[head] = waiting; holder[head] = NOBODY }
    :: atomic { head < JOBS && state[head] == running && crashes == 0 && early < EARLY ->
                early++; state[head] = waiting; holder[head] = NOBODY }
    od
}

init {
    atomic { run worker(0); run worker(1); run person(); run sweep() }
    (_nr_pr == 1);
    assert(head == JOBS);
    byte j;
    for (j : 0 .. JOBS - 1) {
        assert(state[j] == succeeded || state[j] == dead);
        assert(state[j] != succeeded || applied[j] == 1);
        assert(state[j] != dead || applied[j] == 0)
    }
}
