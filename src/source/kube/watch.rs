//! Keeps one kind in step with the API server: lists it, watches it from there, and comes back after whatever
//! happens.
//!
//! The way that asks least is tried first and given up once for good: a streaming watch; else pages and a
//! watch; else, where watching is not allowed, pages again and again. A place in the stream is kept across
//! broken connections, so that a cut costs one request and not a listing; only a server that has forgotten it
//! (410) makes a fresh listing necessary.

use std::collections::BTreeMap;

use kube::client::Body;
use tokio::time::Instant;

use super::api::Api;
use super::decode::{self, Told};
use super::lines::{Cut, Form, LONGEST, Lines};
use super::wire::{Names, Object};
use crate::clean::Clean;
use crate::event::{ClusterEvent, Event, Kind, Uid};
use crate::net::backoff::Backoff;
use crate::net::clock::Clock;
use crate::net::failure::Failure;
use crate::net::timing::Timing;
use crate::source::handle::SourceHandle;

/// Changes that are told together, at most: a dozen batches wait for the journal at worst, and are in memory
/// twice.
const BATCH: usize = 128;

/// How listings are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListMode {
    /// As the beginning of a watch.
    Stream,
    /// In pages, then a watch.
    Pages,
    /// In pages, again and again: watching is not allowed.
    Poll,
}

/// One kind, kept in step.
pub struct Watch<T: Object> {
    api: Api,
    handle: SourceHandle,
    clock: Clock,
    timing: Timing,
    way: ListMode,
    /// The version up to which everything was told; without one a listing is due.
    place: Option<String>,
    /// When polling: the version of each object that was told.
    polled: Option<BTreeMap<Uid, String>>,
    /// Objects that were too large to be read since the last listing began.
    oversized: usize,
    names: Names,
    backoff: Backoff,
    batch: Batch<T>,
}

/// Waits for an answer. One that takes its time is told as silence long before it is given up: a busy server
/// is not hurried.
async fn patiently<A>(
    handle: &mut SourceHandle,
    timing: &Timing,
    answer: impl Future<Output = Result<A, Failure>>,
) -> Result<A, Failure> {
    let mut answer = std::pin::pin!(answer);
    if let Ok(answer) = tokio::time::timeout(timing.answer, &mut answer).await {
        return answer;
    }
    handle.fail(&Failure::silent("the API server", timing.answer)).await;
    let rest = timing.patience.saturating_sub(timing.answer);
    tokio::time::timeout(rest, answer)
        .await
        .unwrap_or_else(|_| Err(Failure::silent("the API server", timing.patience)))
}

/// Changes that were read and not told yet.
struct Batch<T: Object> {
    facts: Vec<T::Fact>,
    gone: Vec<Uid>,
    due: Option<Instant>,
    /// When the listing began that is read, or that the watch followed: while it is young nothing waits for
    /// longer than it has lasted ([`Timing::first`] at least), so that its first objects are told soon.
    began: Instant,
}

impl<T: Object> Watch<T> {
    /// Begins with nothing known.
    pub fn new(api: Api, handle: SourceHandle, clock: Clock, timing: Timing) -> Self {
        Self {
            names: Names::of(api.context()),
            api,
            handle,
            clock,
            way: ListMode::Stream,
            place: None,
            polled: None,
            oversized: 0,
            backoff: Backoff::new(timing.clone()),
            batch: Batch { facts: Vec::new(), gone: Vec::new(), due: None, began: Instant::now() },
            timing,
        }
    }

    /// Goes on until it is stopped.
    pub async fn run(mut self) {
        loop {
            if let Err(failure) = self.round().await {
                self.recover(failure).await;
            }
        }
    }

    async fn round(&mut self) -> Result<(), Failure> {
        match (self.place.take(), self.way) {
            (None, ListMode::Stream) => self.stream().await,
            (None, ListMode::Pages) => self.list().await,
            (None, ListMode::Poll) => self.poll().await,
            (Some(place), _) => self.follow(place).await,
        }
    }

    async fn recover(&mut self, failure: Failure) {
        let wait = self.backoff.next(&failure);
        if failure.refused() {
            self.way = ListMode::Stream; // rights may be other ones when they come back
        }
        // A cut that the first retry mends is not worth a word; silence has already lasted too long for that.
        let mendable = self.backoff.first()
            && self.handle.is_live()
            && !failure.refused()
            && !matches!(failure, Failure::Silent(_));
        if !mendable {
            self.handle.fail(&failure).await;
        }
        tokio::time::sleep(wait).await;
    }

    async fn stream(&mut self) -> Result<(), Failure> {
        // The server ends it by itself then, as the watches after it, and the connection goes on to the next:
        // one that has to be cut costs a handshake. Of pods there are many: they are given all the time it
        // takes.
        let span = (T::KIND != Kind::Pod).then_some(self.timing.watch);
        let body = match patiently(&mut self.handle, &self.timing, self.api.stream(span)).await {
            Err(Failure::Rejected(_)) => {
                self.way = ListMode::Pages;
                return Ok(());
            }
            Err(Failure::Forbidden(_)) => {
                self.way = ListMode::Poll;
                return Ok(());
            }
            answer => answer?,
        };
        self.oversized = 0;
        self.batch.began = Instant::now();
        self.tell(ClusterEvent::Listing(self.api.scope())).await;
        match (self.read(body).await, self.place.is_some()) {
            // it never says that the listing is complete
            (Err(Failure::Silent(_)), false) => self.way = ListMode::Pages,
            // it takes longer than that, and each page has time of its own
            (Ok(()), false) if span.is_some() => self.way = ListMode::Pages,
            (Ok(()), false) => {
                return Err(Failure::Lost("the API server ended its listing before it was complete".into()));
            }
            (Ok(()) | Err(Failure::Silent(_)), true) => {}
            (Err(failure), _) => return Err(failure),
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let mut page = self.page(None).await?;
        self.tell(ClusterEvent::Listing(self.api.scope())).await;
        loop {
            page.items.take().into_iter().flatten().for_each(|object| self.put(object));
            self.flush().await;
            match page.metadata.next() {
                Some(token) => page = self.page(Some(&token)).await?,
                None => break,
            }
        }
        self.listed(page.metadata.resource_version).await;
        Ok(())
    }

    /// Tells what is new since the last round, as a watch would have: a whole listing each time would fill
    /// the journal.
    async fn poll(&mut self) -> Result<(), Failure> {
        let mut page = self.page(None).await?;
        let mut named = BTreeMap::new();
        if self.polled.is_none() {
            self.tell(ClusterEvent::Listing(self.api.scope())).await;
        }
        loop {
            for object in page.items.take().into_iter().flatten() {
                let uid = self.own(&object.metadata().uid);
                let version = object.metadata().resource_version.clone();
                if self.polled.as_ref().and_then(|known| known.get(&uid)) != Some(&version) {
                    self.put(object);
                }
                named.insert(uid, version);
            }
            match page.metadata.next() {
                Some(token) => page = self.page(Some(&token)).await?,
                None => break,
            }
        }
        let known = self.polled.iter().flat_map(BTreeMap::keys);
        let missed: Vec<Uid> = known.filter(|uid| !named.contains_key(*uid)).cloned().collect();
        self.flush().await;
        if !missed.is_empty() {
            self.tell(ClusterEvent::Missed(T::KIND, missed)).await;
        }
        if self.polled.replace(named).is_none() {
            self.tell(ClusterEvent::Listed(self.api.scope())).await;
        }
        let often = crate::units::seconds(self.timing.poll.as_secs_f64());
        self.handle
            .live(Some(format!(
                "{} may not be watched (403): they are listed every {often}",
                T::KIND.plural()
            )))
            .await;
        self.clock.sleep(self.timing.poll).await;
        Ok(())
    }

    async fn follow(&mut self, place: String) -> Result<(), Failure> {
        let answer =
            patiently(&mut self.handle, &self.timing, self.api.watch(&place, self.timing.watch)).await;
        let body = match answer {
            Err(Failure::Forbidden(_)) => {
                self.way = ListMode::Poll;
                return Ok(());
            }
            // without the place: it is of no use
            Err(failure @ (Failure::Expired(_) | Failure::Rejected(_))) => return Err(failure),
            answer => {
                self.place = Some(place);
                answer?
            }
        };
        self.alive().await;
        let began = self.clock.now(); // not the machine's: a sped-up simulation ends its watches sooner
        match self.read(body).await {
            Ok(()) if (self.clock.now() - began).to_std().unwrap_or_default() < self.timing.watch / 4 => {
                Err(Failure::Lost("the API server ends the watch as soon as it began".into()))
            }
            // proves nothing yet: the next round asks again, and is answered soon or fails
            Err(Failure::Silent(_)) => Ok(()),
            end => end,
        }
    }

    async fn page(&mut self, token: Option<&str>) -> Result<decode::Page<T>, Failure> {
        let text = patiently(&mut self.handle, &self.timing, self.api.page(token)).await?;
        self.handle.hear();
        decode::page(&text)
    }

    /// Reads a watch to its end, whatever that is. Without a place it is a listing first.
    async fn read(&mut self, (form, body): (Form, Body)) -> Result<(), Failure> {
        let mut lines = Lines::new(body, form, self.timing.silence);
        let end = loop {
            let due = self.batch.due.unwrap_or_else(|| Instant::now() + self.timing.silence * 2);
            match tokio::time::timeout_at(due, lines.next()).await {
                Err(_) => self.flush().await,
                Ok(Ok(None)) => break Ok(()),
                Ok(Err(failure)) => break Err(failure),
                Ok(Ok(Some(cut))) => {
                    if let Err(failure) = self.take(form, cut).await {
                        break Err(failure);
                    }
                }
            }
        };
        self.flush().await;
        end
    }

    async fn take(&mut self, form: Form, cut: Cut) -> Result<(), Failure> {
        self.handle.hear();
        let Cut::Line(text) = cut else { return self.skip() };
        let told: Told<T> = if form == Form::Frames { decode::frame(&text)? } else { decode::line(&text)? };
        let version = match told {
            Told::Error(status) => return Err(self.broken(&status)),
            Told::Bookmark { version, end } => {
                if end && self.place.is_none() {
                    self.flush().await;
                    self.listed(version.clone()).await;
                }
                version
            }
            Told::Gone(uid, version) => {
                self.batch.gone.push(self.own(&uid));
                version
            }
            Told::Put(object) => {
                let version = object.metadata().resource_version.clone();
                self.put(object);
                version
            }
        };
        // While it is a listing objects come with versions of their own, in no order.
        self.place.as_mut().into_iter().for_each(|place| place.clone_from(&version));
        let wait = self.batch.began.elapsed().clamp(self.timing.first, self.timing.batch);
        self.batch.due.get_or_insert_with(|| Instant::now() + wait);
        if self.batch.facts.len() + self.batch.gone.len() >= BATCH {
            self.flush().await;
        }
        Ok(())
    }

    fn broken(&mut self, status: &decode::Status) -> Failure {
        let failure = self.api.broken(status);
        if matches!(failure, Failure::Expired(_) | Failure::Rejected(_)) {
            self.place = None;
        }
        failure
    }

    /// An object too large to be read: what is known of it is no longer true, so a listing without it is.
    fn skip(&mut self) -> Result<(), Failure> {
        self.oversized += 1;
        match self.place.take() {
            None => Ok(()),
            Some(_) => {
                Err(Failure::Expired(format!("a line of the watch is longer than {} MiB", LONGEST >> 20)))
            }
        }
    }

    /// An identity as the world knows it.
    fn own(&self, uid: &Clean) -> Uid {
        Uid::new(self.api.context(), uid.clone())
    }

    fn put(&mut self, object: T) {
        self.batch.facts.push(object.fact(&mut self.names));
    }

    async fn listed(&mut self, version: String) {
        self.place = Some(version);
        self.tell(ClusterEvent::Listed(self.api.scope())).await;
        self.alive().await;
    }

    async fn alive(&mut self) {
        let count = self.oversized;
        let most = LONGEST >> 20;
        let remark = (count > 0)
            .then(|| format!("{count} {} larger than {most} MiB could not be read", T::KIND.plural()));
        self.handle.live(remark).await;
    }

    /// Tells what was read. Within a batch an object that is gone was not put after that: its identity never
    /// comes back.
    async fn flush(&mut self) {
        self.batch.due = None;
        let facts = std::mem::take(&mut self.batch.facts);
        let gone = std::mem::take(&mut self.batch.gone);
        if !facts.is_empty() {
            self.tell(T::event(facts)).await;
        }
        if !gone.is_empty() {
            self.tell(ClusterEvent::Gone(T::KIND, gone)).await;
        }
    }

    async fn tell(&self, event: ClusterEvent) {
        self.handle.tell(Event::Cluster(event)).await;
    }
}
