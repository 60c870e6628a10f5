//! The connection against a daemon of a few lines.

use std::sync::mpsc::channel;

use super::super::stream::Stream;
use super::*;

/// The other end.
struct Daemon(UnixStream);

/// What came there: procedure, type, serial, status, and the payload.
type Came = (u32, u32, u32, u32, Vec<u8>);

impl Daemon {
    fn next(&mut self) -> Came {
        let mut head = [0; HEADER];
        self.0.read_exact(&mut head).expect("a message");
        let mut words = [0_u32; 7];
        for (word, bytes) in words.iter_mut().zip(head.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().expect("four bytes"));
        }
        let [length, program, _, procedure, kind, serial, status] = words;
        assert!([REMOTE.0, KEEPALIVE.0].contains(&program));
        let mut payload = vec![0; length as usize - HEADER];
        self.0.read_exact(&mut payload).expect("the rest");
        (procedure, kind, serial, status, payload)
    }

    fn say(&mut self, program: (u32, u32), head: [u32; 4], payload: &impl Encode) {
        let mut body = Vec::new();
        payload.encode(&mut body);
        let length = u32::try_from(HEADER + body.len()).expect("it is short");
        let mut bytes = Vec::new();
        let [procedure, kind, serial, status] = head;
        (length, program.0, program.1, procedure).encode(&mut bytes);
        (kind, serial, status).encode(&mut bytes);
        bytes.extend(body);
        self.0.write_all(&bytes).expect("it is sent");
    }
}

fn linked(sink: Sink) -> (Link, Daemon) {
    let (stream, theirs) = UnixStream::pair().expect("a pair");
    let transport = Transport {
        stream,
        process: None,
    };
    let link = Link::over(transport, sink).expect("a link");
    (link, Daemon(theirs))
}

fn silent() -> (Link, Daemon) {
    linked(Box::new(|_| {}))
}

#[test]
fn answers_go_to_whom_they_are_for_whatever_their_order() {
    let (link, mut daemon) = silent();
    std::thread::scope(|scope| {
        let call = |n: u32| link.call::<u32>(100 + n, &n).expect("an answer");
        let callers = [1, 2].map(|n| scope.spawn(move || (n, call(n))));
        let mut came = [daemon.next(), daemon.next()];
        // A sign of life is asked for meanwhile, and given.
        daemon.say(KEEPALIVE, [PING, MESSAGE, 0, OK], &());
        let (procedure, kind, ..) = daemon.next();
        assert_eq!((procedure, kind), (PONG, MESSAGE));
        came.sort_by_key(|(procedure, ..)| std::cmp::Reverse(*procedure));
        for (procedure, _, serial, _, payload) in came {
            let n = u32::decode(&mut payload.as_slice()).expect("a number");
            assert_eq!(procedure, 100 + n);
            daemon.say(REMOTE, [procedure, REPLY, serial, OK], &(n * 10));
        }
        for caller in callers {
            let (n, answer) = caller.join().expect("it ends");
            assert_eq!(answer, n * 10);
        }
    });
}

#[test]
fn no_more_calls_are_on_their_way_than_a_daemon_reads() {
    let (link, mut daemon) = silent();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLS_MAX + 3)
            .map(|_| scope.spawn(|| link.call::<()>(7, &())))
            .collect();
        let first: Vec<_> = (0..CALLS_MAX).map(|_| daemon.next().2).collect();
        let timeout = Duration::from_millis(200);
        daemon.0.set_read_timeout(Some(timeout)).expect("it is set");
        assert!(daemon.0.read(&mut [0]).is_err(), "the others wait");
        daemon.0.set_read_timeout(None).expect("it is set");
        for serial in first {
            daemon.say(REMOTE, [7, REPLY, serial, OK], &());
        }
        for _ in 0..3 {
            let (_, _, serial, ..) = daemon.next();
            daemon.say(REMOTE, [7, REPLY, serial, OK], &());
        }
        for caller in callers {
            caller.join().expect("it ends").expect("an answer");
        }
    });
}

#[test]
fn what_libvirt_refuses_is_its_own_error() {
    let (link, mut daemon) = silent();
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| link.call::<()>(7, &()));
        let (procedure, _, serial, ..) = daemon.next();
        let error = (42_i32, 10_i32, Some("no such domain"), 2_i32);
        daemon.say(REMOTE, [procedure, REPLY, serial, ERROR], &error);
        let refused = caller.join().expect("it ends").expect_err("refused");
        assert_eq!((refused.code(), refused.message()), (42, "no such domain"));
        assert!(!refused.is_of_connection());
    });
    assert!(link.is_alive());
}

#[test]
fn an_end_of_the_connection_wakes_everybody_and_is_told() {
    let (sender, told) = channel();
    let sink: Sink = Box::new(move |message| {
        let _ = sender.send(message.map(|(procedure, _)| procedure));
    });
    let (link, mut daemon) = linked(sink);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| link.call::<()>(7, &()));
        daemon.next();
        daemon.say(REMOTE, [318, MESSAGE, 0, OK], &());
        drop(daemon);
        let broken = caller.join().expect("it ends").expect_err("it is gone");
        assert!(broken.is_of_connection(), "{broken}");
    });
    assert_eq!(told.recv(), Ok(Some(318)));
    assert_eq!(told.recv(), Ok(None));
    assert!(!link.is_alive());
    assert!(link.call::<()>(7, &()).is_err());
}

#[test]
fn what_is_not_libvirt_is_said() {
    let (link, mut daemon) = silent();
    daemon
        .0
        .write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        .expect("it is sent");
    let error = link.call::<()>(7, &()).expect_err("no answer");
    assert_eq!(error.message(), "what answers is not libvirt");
}

#[test]
fn a_stream_carries_bytes_both_ways() {
    let (link, mut daemon) = silent();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            let (procedure, _, serial, ..) = daemon.next();
            let stream = |status| [procedure, STREAM, serial, status];
            // The first bytes may come before the answer: another thread sends them.
            daemon.say(REMOTE, stream(CONTINUE), &0x6561_726c_u32);
            daemon.say(REMOTE, [procedure, REPLY, serial, OK], &());
            let (_, kind, _, status, part) = daemon.next();
            assert_eq!(
                (kind, status, part.as_slice()),
                (STREAM, CONTINUE, b"up".as_slice())
            );
            daemon.say(REMOTE, stream(CONTINUE), &0x646f_776e_u32);
            daemon.say(REMOTE, stream(CONTINUE), &());
            let (_, kind, _, status, part) = daemon.next();
            assert_eq!((kind, status, part.len()), (STREAM, OK, 0));
            daemon.say(REMOTE, stream(OK), &());
            daemon
        });
        let stream = Stream::of(link.start(208, &()).expect("sent")).expect("open");
        assert_eq!(stream.receive().expect("bytes"), b"earl");
        stream.send(b"up").expect("sent");
        assert_eq!(stream.receive().expect("bytes"), b"down");
        assert_eq!(stream.receive().expect("its end"), b"");
        stream.finish().expect("finished");
        assert!(stream.send(b"more").is_err(), "it is over");
        other.join().expect("it ends");
    });
}

#[test]
fn a_stream_that_the_daemon_gives_up_ends_the_sender() {
    let (link, mut daemon) = silent();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (procedure, _, serial, ..) = daemon.next();
            daemon.say(REMOTE, [procedure, REPLY, serial, OK], &());
            let full = (38_i32, 0_i32, Some("No space left on device"), 2_i32);
            daemon.say(REMOTE, [procedure, STREAM, serial, ERROR], &full);
            // It waits until the other side is gone.
            let _ = daemon.0.read(&mut [0]);
        });
        let stream = Stream::of(link.start(208, &()).expect("sent")).expect("open");
        let error = stream.finish().expect_err("it is full");
        assert_eq!(error.message(), "No space left on device");
        drop(link);
    });
}
