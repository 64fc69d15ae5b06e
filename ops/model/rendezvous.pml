/* The life of a job in every order in which it can happen: `make model` (needs spin and a C compiler).
 *
 * Two updates of one event, two workers, one person who edits the same property, answers that are lost, writes that
 * arrive when nobody waits for them any more, leases that end while their worker is only slow, and crashes between any
 * two steps. One atomic block is one Lua script of workers/store/lua, or one call as Exchange sees it.
 *
 *   claim    the head of the line, if it waits: it runs, with a new fence
 *   read     the event's version, content and marker. Our id is in it: an earlier write was applied -> succeeded
 *   plan     the content is not what our first intent says that we read: somebody changed it -> dead, a conflict
 *   intend   what we read is recorded, if the fence still holds; else nothing is sent
 *   write    applied only against the version just read, and stamps the marker. Refused: look again. Answer lost, or no
 *            answer in time: unknown, the job waits again
 *   settle   changes the state only if the fence still holds; then the next of the line may run
 *   sweep    a lease has ended: the job waits again
 *
 * Asserted at every write that Exchange applies: the update was not applied before; the line's order; what is
 * overwritten is what was read, and what our first intent recorded: nobody's edit is trampled. Asserted at the end:
 * both are settled; succeeded means applied, dead means not applied. A state in which nobody can go on is an error
 * (stuck), and so is a cycle (-DNP, pan -l): with so many hurts, every run ends.
 *
 * -DNO_MARKER, -DNO_VERSION, -DNO_INTENT, -DNO_LINE and -DNO_FENCE take a safeguard away; `make model` expects an error
 * of each, so that the assertions are seen to be able to fail. Left out: a store that forgets, servers that ignore
 * versions, lanes, and when things happen.
 */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef EDITS
#define EDITS 1
#endif
#ifndef LOST                            /* answers that do not come, although their worker lives */
#define LOST 2
#endif
#ifndef EARLY                           /* leases that end although their worker lives */
#define EARLY 2
#endif
#define JOBS   2
#define PERSON 9                        /* who wrote the content: 0 nobody yet, 1 and 2 the updates, 9 the person */

mtype = { waiting, running, succeeded, dead };

/* the store */
mtype state[JOBS] = waiting;
byte fence[JOBS], base[JOBS], head;     /* head of the line; JOBS: it is empty */
bool intended[JOBS];
bool abandoned[JOBS];                   /* its worker died: its lease ends for certain */

/* Exchange */
byte version, content;
bool marker[JOBS];
chan wire = [CRASHES + LOST] of { byte, byte, byte };   /* writes nobody waits for: job, version and content read */

/* the judge, and how much was hurt */
byte applied[JOBS], crashes, edits, lost, early;

#ifdef NO_FENCE
#define MAY (state[j] == running)
#else
#define MAY (state[j] == running && fence[j] == mine)
#endif
#ifdef NO_INTENT
#define CLASH false
#else
#define CLASH (intended[j] && read != base[j])          /* not what our first intent was made for */
#endif
#ifdef NO_VERSION
#define ACCEPTED(v) true
#else
#define ACCEPTED(v) (version == v)
#endif
#ifdef NO_MARKER
#define BEARS(j) false
#else
#define BEARS(j) marker[j]
#endif

inline apply(i, read) {
    assert(applied[i] == 0);                    /* once */
    assert(i == 0 || head == 1);                /* in order: the earlier one has been settled, */
    assert(i == 1 || applied[1] == 0);          /* and does not arrive afterwards */
    assert(content == read && content == base[i]);      /* nobody's edit is overwritten */
    applied[i]++;
    marker[i] = true;
    content = i + 1;
    version++
}

inline settle(how) {
    if
    :: MAY -> state[j] = how; if :: how != waiting -> head++ :: else fi
    :: else                                     /* somebody else's by now: nothing is changed */
    fi
}

inline forget() { j = 0; mine = 0; saw = 0; read = 0; bears = false }

inline crash() {
    crashes++;
    if :: MAY -> abandoned[j] = true :: else fi;
    forget()
}

proctype worker() {
    byte j, mine, saw, read;
    bool bears;

idle:
    if
    :: atomic { head == JOBS -> goto done }
    :: atomic { head < JOBS && state[head] == waiting ->                        /* claim */
           j = head; state[j] = running; fence[j]++; mine = fence[j] }
#ifdef NO_LINE
    :: atomic { head == 0 && state[1] == waiting ->
           j = 1; state[j] = running; fence[j]++; mine = fence[j] }
#endif
    fi;

look:
    if
    :: atomic { crashes < CRASHES -> crash(); goto idle }
    :: atomic { saw = version; read = content; bears = BEARS(j) }               /* read */
    fi;
    if
    :: atomic { crashes < CRASHES -> crash(); goto idle }
    :: atomic { bears -> settle(succeeded); forget(); goto idle }
    :: atomic { !bears && CLASH -> settle(dead); forget(); goto idle }
    :: atomic { !bears && !CLASH && !MAY -> forget(); goto idle }
    :: atomic { !bears && !CLASH && MAY ->           /* intend */
           if :: !intended[j] -> base[j] = read; intended[j] = true :: else fi }
    fi;

    if
    :: atomic { crashes < CRASHES -> crash(); goto idle }                       /* before it is sent */
    :: atomic { crashes < CRASHES -> wire!j, saw, read; crash(); goto idle }    /* behind it */
    :: atomic { lost < LOST -> lost++; wire!j, saw, read; settle(waiting); forget(); goto idle }
    :: atomic { !ACCEPTED(saw) -> goto look }                                   /* refused */
    :: atomic { ACCEPTED(saw) -> apply(j, read) }                               /* write */
    fi;

    if
    :: atomic { crashes < CRASHES -> crash(); goto idle }
    :: atomic { lost < LOST -> lost++; settle(waiting); forget(); goto idle }   /* applied, the answer is lost */
    :: atomic { settle(succeeded); forget(); goto idle }
    fi;
done:
    skip
}

/* Writes arrive late, or never. */
proctype network() {
    byte i, saw, read;
end:
    do
    :: atomic { wire??i, saw, read ->
           if
           :: ACCEPTED(saw) -> apply(i, read)
           :: true
           fi;
           i = 0; saw = 0; read = 0 }
    od
}

proctype person() {
end:
    do
    :: atomic { edits < EDITS -> edits++; content = PERSON; version++ }
    od
}

proctype sweep() {
end:
    do
    :: atomic { head < JOBS && state[head] == running && abandoned[head] ->
           abandoned[head] = false; state[head] = waiting }
    :: atomic { head < JOBS && state[head] == running && !abandoned[head] && early < EARLY ->
           early++; state[head] = waiting }
    od
}

init {
    atomic { run worker(); run worker(); run network(); run person(); run sweep() }
    atomic {
        head == JOBS ->
        assert(state[0] == succeeded || state[0] == dead);
        assert(state[1] == succeeded || state[1] == dead);
        assert((state[0] == succeeded) == (applied[0] == 1));
        assert((state[1] == succeeded) == (applied[1] == 1))
    }
}
