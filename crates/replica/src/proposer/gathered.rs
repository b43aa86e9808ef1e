//! Which of the waiting proposals go into the next entry: narrowing ones first, then the others, each in the order they
//! came, up to the bounds of an entry. No channel and no clock.

use std::collections::VecDeque;

/// The most commands in one entry: what one sync of the disk is shared by.
pub(super) const MAX_ENTRY_COMMANDS: usize = 64;

/// The most bytes of commands in one entry. One KiB below 64, which is left for what surrounds them in the record.
pub(super) const MAX_ENTRY_BYTES: usize = 63 * 1024;

/// Something that waits to be proposed.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// Whether it narrows.
    pub(super) narrowing: bool,
    /// Whether it may be proposed while little space is free.
    pub(super) may_use_reserve: bool,
    /// The size of the command, in bytes; never above [`MAX_ENTRY_BYTES`].
    pub(super) bytes: usize,
    /// What waits.
    pub(super) value: T,
}

/// What waits.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    narrowing: VecDeque<Waiting<T>>,
    others: VecDeque<Waiting<T>>,
}

impl<T> Gathered<T> {
    pub(super) fn new() -> Self {
        Self { narrowing: VecDeque::new(), others: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.narrowing.len() + self.others.len()
    }

    pub(super) fn push(&mut self, waiting: Waiting<T>) {
        let queue = if waiting.narrowing { &mut self.narrowing } else { &mut self.others };
        queue.push_back(waiting);
    }

    /// Takes out what `unwanted` picks.
    pub(super) fn take_out(&mut self, mut unwanted: impl FnMut(&Waiting<T>) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for queue in [&mut self.narrowing, &mut self.others] {
            for waiting in std::mem::take(queue) {
                if unwanted(&waiting) {
                    taken.push(waiting.value);
                } else {
                    queue.push_back(waiting);
                }
            }
        }
        taken
    }

    /// The next entry; empty only if nothing waits.
    pub(super) fn next_entry(&mut self) -> Vec<T> {
        let (mut entry, mut bytes) = (Vec::new(), 0);
        while entry.len() < MAX_ENTRY_COMMANDS {
            let queue = if self.narrowing.is_empty() { &mut self.others } else { &mut self.narrowing };
            let Some(next) = queue.front() else { break };
            bytes += next.bytes;
            if bytes > MAX_ENTRY_BYTES && !entry.is_empty() {
                break;
            }
            entry.extend(queue.pop_front().map(|waiting| waiting.value));
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(narrowing: bool, bytes: usize, value: usize) -> Waiting<usize> {
        Waiting { narrowing, may_use_reserve: narrowing, bytes, value }
    }

    #[test]
    fn narrowing_commands_go_first_and_each_kind_keeps_its_order() {
        let mut gathered = Gathered::new();
        for (value, narrowing) in [false, true, false, true].into_iter().enumerate() {
            gathered.push(waiting(narrowing, 10, value));
        }
        assert_eq!(gathered.next_entry(), [1, 3, 0, 2]);
        assert_eq!(gathered.next_entry(), []);
    }

    #[test]
    fn an_entry_holds_at_most_64_commands() {
        let mut gathered = Gathered::new();
        (0..100).for_each(|value| gathered.push(waiting(false, 1, value)));
        assert_eq!(gathered.next_entry().len(), MAX_ENTRY_COMMANDS);
        assert_eq!(gathered.next_entry().len(), 36);
    }

    #[test]
    fn an_entry_holds_at_most_its_bytes_and_a_narrowing_command_does_not_wait_for_room() {
        let mut gathered = Gathered::new();
        gathered.push(waiting(false, MAX_ENTRY_BYTES, 0));
        gathered.push(waiting(false, 1, 1));
        gathered.push(waiting(true, 40 * 1024, 2));
        gathered.push(waiting(true, 40 * 1024, 3));
        assert_eq!(gathered.next_entry(), [2]);
        assert_eq!(gathered.next_entry(), [3]);
        assert_eq!(gathered.next_entry(), [0]);
        assert_eq!(gathered.next_entry(), [1]);
    }

    #[test]
    fn what_is_taken_out_leaves_the_others_in_order() {
        let mut gathered = Gathered::new();
        (0..6).for_each(|value| gathered.push(waiting(value % 2 == 1, 1, value)));
        assert_eq!(gathered.take_out(|waiting| !waiting.may_use_reserve), [0, 2, 4]);
        assert_eq!(gathered.len(), 3);
        assert_eq!(gathered.next_entry(), [1, 3, 5]);
    }
}
