"""Atomic steps of the queue of rounds, as Lua scripts that Redis runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from xlt_backend.queue.connection import Connection

#: Result of a request.
Status = Literal["queued", "waiting", "running", "held"]

#: Key of the set of all projects that ever requested a round.
PROJECTS = "xlt:projects"

# KEYS: wanted served lease waiting hold failures running projects
_REQUEST = """
redis.call('SADD', KEYS[8], ARGV[1])
if ARGV[3] == '1' then redis.call('INCR', KEYS[1]) end
if ARGV[4] == '1' then redis.call('DEL', KEYS[5]) end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'running', ''} end
local waiting = redis.call('GET', KEYS[4])
if waiting then
  if redis.call('EXISTS', 'rq:job:' .. waiting) == 1 then return {'waiting', waiting} end
  return {'queued', waiting}
end
if redis.call('EXISTS', KEYS[5]) == 1 then return {'held', ''} end
redis.call('SET', KEYS[4], ARGV[2])
return {'queued', ARGV[2]}
"""

# A round that is running without a lease has lost its worker: that counts as a failure.
_START = """
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return -1 end
redis.call('DEL', KEYS[4])
if redis.call('EXISTS', KEYS[3]) == 1 then return -1 end
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
if redis.call('EXISTS', KEYS[7]) == 1 then redis.call('INCR', KEYS[6]) end
redis.call('SET', KEYS[7], ARGV[2])
return tonumber(redis.call('GET', KEYS[1]) or '0')
"""

# A lease that expired or was flushed is taken back, unless another worker holds it.
_RENEW = """
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[7], ARGV[1])
return 1
"""

# After a flush the counters restart at 0: nothing counts as served, and the round is repeated.
_FINISH = """
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
if redis.call('GET', KEYS[7]) == ARGV[1] then redis.call('DEL', KEYS[7]) end
local wanted = tonumber(redis.call('GET', KEYS[1]) or '0')
if ARGV[3] == '1' then
  local seen = tonumber(ARGV[2])
  if wanted < seen then seen = 0 end
  redis.call('SET', KEYS[2], seen)
  redis.call('DEL', KEYS[5], KEYS[6])
  return wanted - seen
end
local failures = redis.call('INCR', KEYS[6])
local hold_ms = math.min(tonumber(ARGV[4]) * 2 ^ math.min(failures - 1, 20), tonumber(ARGV[5]))
redis.call('SET', KEYS[5], '1', 'PX', math.floor(hold_ms))
return 0
"""

# The first time the round may start again at once; a round that kills its workers is held.
_END_ABANDONED = """
if redis.call('EXISTS', KEYS[3]) == 1 or redis.call('DEL', KEYS[7]) == 0 then return 0 end
local failures = redis.call('INCR', KEYS[6])
if failures > 1 then
  local hold_ms = math.min(tonumber(ARGV[1]) * 2 ^ math.min(failures - 2, 20), tonumber(ARGV[2]))
  redis.call('SET', KEYS[5], '1', 'PX', math.floor(hold_ms))
end
return 1
"""

_DROP_WAITING = """
if redis.call('GET', KEYS[4]) == ARGV[1] then return redis.call('DEL', KEYS[4]) end
return 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The result of a request.

    Attributes:
        status: `queued` now, `waiting` since an earlier request, `running` (another round
            follows), or `held` for a while after a failure.
        job_id: The job of the round; empty if the status is `running` or `held`.
    """

    status: Status
    job_id: str


class Scripts:
    """The steps as methods; each is atomic."""

    def __init__(self, connection: Connection) -> None:
        register = connection.register_script
        self._request, self._start = register(_REQUEST), register(_START)
        self._renew, self._finish = register(_RENEW), register(_FINISH)
        self._drop_waiting = register(_DROP_WAITING)
        self._end_abandoned = register(_END_ABANDONED)

    def request(
        self, project: str, job_id: str, *, count: bool, forced: bool
    ) -> tuple[Status, str]:
        """Requests a round; returns its status and the id of its job.

        Args:
            project: Label Studio's id of the project.
            job_id: Id of a new job, used if none waits.
            count: Whether it is a new request rather than a retry.
            forced: Whether to end the hold after a failure.
        """
        args: list[str | int] = [project, job_id, int(count), int(forced)]
        status, job = self._request(keys=keys_of(project), args=args)
        return cast("Status", status.decode()), job.decode()

    def start(self, project: str, job_id: str, token: str, lease_ms: int) -> int | None:
        """Takes the lease; returns the number of requests so far, or None if it is taken."""
        seen = int(self._start(keys=keys_of(project), args=[job_id, token, lease_ms]))
        return None if seen < 0 else seen

    def renew(self, project: str, token: str, lease_ms: int) -> bool:
        """Extends the lease; returns False if another worker holds it."""
        return bool(self._renew(keys=keys_of(project), args=[token, lease_ms]))

    def finish(
        self, project: str, token: str, seen: int, *, ok: bool, hold_ms: tuple[int, int]
    ) -> int:
        """Gives the lease back; returns the number of requests that came meanwhile.

        Args:
            project: Label Studio's id of the project.
            token: Identifies the lease.
            seen: Number of requests that `start` returned.
            ok: Whether these requests are served now.
            hold_ms: First and longest pause after a failure; it doubles with each in a row.
        """
        args: list[str | int] = [token, seen, int(ok), *hold_ms]
        return int(self._finish(keys=keys_of(project), args=args))

    def end_abandoned(self, project: str, *, hold_ms: tuple[int, int]) -> bool:
        """Ends a round that runs without a lease; returns False if there is none.

        Args:
            project: Label Studio's id of the project.
            hold_ms: First and longest pause from the second time in a row on.
        """
        return bool(self._end_abandoned(keys=keys_of(project), args=list(hold_ms)))

    def drop_waiting(self, project: str, job_id: str) -> None:
        """Removes a job that waits, if it still does."""
        self._drop_waiting(keys=keys_of(project), args=[job_id])


def keys_of(project: str) -> list[str]:
    """Returns the keys of a project, in the order in which the scripts number them."""
    names = ("wanted", "served", "lease", "waiting", "hold", "failures", "running")
    return [*(f"xlt:{name}:{project}" for name in names), PROJECTS]
