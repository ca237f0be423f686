/**
 * Lines with what is private in them marked: ⟦e:…⟧ e-mail, p phone, c card or IBAN, k key, n name. All of it is made up.
 * A ¦ is dropped when the corpus is read: it keeps scanners of repositories from taking a made-up key for a real one.
 */
const LINES = `
Please write to ⟦e:anna.schmidt@example.org⟧ before Friday.
My address is ⟦e:j.doe+news@mail.example.co.uk⟧, thanks.
Contact: ⟦e:SUPPORT@EXAMPLE.COM⟧
The mail (⟦e:first_last@sub.domain.example.net⟧) bounced.
Schreib mir an ⟦e:jürgen@bücher.example⟧ oder ruf an.
Mon adresse : ⟦e:marie-claire@exemple.fr⟧.
Mi correo es ⟦e:pepe.99@correo.es⟧ y nada más.
mailto:⟦e:info@example.org⟧?subject=hi
Two: ⟦e:a@b.io⟧, ⟦e:c.d@e-f.dev⟧; no third.
Envoyez à «⟦e:contact@société.example⟧» svp.
user=⟦e:root@localhost.localdomain⟧ logged in
"⟦e:x'y@example.com⟧" is quoted here.
Пишите на ⟦e:ivan@пример.example⟧ пожалуйста
请发邮件到⟦e:wang@example.cn⟧谢谢
From <⟦e:bounce-1234@lists.example.org⟧> to nobody
Ends with a dot: ⟦e:me@example.org⟧.
Skriv till ⟦e:lars@foretag.se⟧ eller kom förbi.
Scrivi a ⟦e:giulia_r@posta.it⟧!
Whatever looks like one is one: git clone ⟦e:git@github.example⟧:me/repo
No address: @decorator and foo@bar stay.
npm i lodash@4.17.21 react@18.2.0-rc.1
The @media rule and @Override are not addresses.
See icon@2x.png and logo@3x.png in the folder.
Meet @alice_dev on the forum at 10 @ the lobby.
Price: 3 apples @ 1.50 each.
a @ b . com is spaced out.
package.json has "@scope/name": "^1.2.3".
foo@ and @bar and @@ and x@y stay as they are.
ssh admin@server-01 uptime
Call me at ⟦p:+1 415 555 2671⟧ tomorrow.
Office: ⟦p:(212) 555-0187⟧, ask for sales.
My cell is ⟦p:415-555-0132⟧.
⟦p:415.555.0199⟧ is the other line.
UK: ⟦p:+44 20 7946 0958⟧ or ⟦p:020 7946 0123⟧.
Handy: ⟦p:0171 2345678⟧
Tel. ⟦p:030/12345678⟧
Rufen Sie mich unter ⟦p:+49 (0) 30 901820⟧ an.
Meine Nummer ist ⟦p:01712345678⟧.
Appelez le ⟦p:06 12 34 56 78⟧ ce soir.
Tél : ⟦p:01.42.68.53.00⟧
Mon numéro: ⟦p:+33 6 12 34 56 78⟧
Mi teléfono es ⟦p:612 345 678⟧.
Llámame al ⟦p:+34 612 34 56 78⟧ por favor
Il mio cellulare è ⟦p:+39 347 123 4567⟧.
Telefono ⟦p:06 6982 1234⟧ Roma
Ligue para ⟦p:(11) 91234-5678⟧ hoje.
Celular: ⟦p:+55 11 91234-5678⟧
Bel ⟦p:06-12345678⟧ na zessen.
Schweiz: ⟦p:079 123 45 67⟧ oder ⟦p:+41 79 123 45 67⟧.
Телефон: ⟦p:+7 916 123-45-67⟧
Звоните ⟦p:8 (495) 123-45-67⟧ до шести
电话 ⟦p:138 1234 5678⟧ 随时
電話番号は⟦p:090-1234-5678⟧です
Ring ⟦p:070-123 45 67⟧ efter lunch.
WhatsApp ⟦p:+91 98765 43210⟧
fax: ⟦p:1-800-555-0199⟧
Dial ⟦p:0044 20 7946 0958⟧ from abroad.
numer telefonu ⟦p:501 234 567⟧
Phone number is ⟦p:5551234567⟧ if needed.
The date is 2024-01-15 and the time 09:30:45.
Am 01.02.2024 um 12.30 Uhr, spätestens 03.04.2025.
Le 05/06/2024 à Paris.
Version 10.0.19045.3693 of the build.
Release 1.2.3-4567 came after 0.9.12.
The server is at 192.168.100.200 or 10.0.0.1:8080.
Order 4155552671 has shipped.
Invoice no. 0123456789 is open.
Bestellung 0301234567 ist da.
It cost 1 234 567 EUR in 2023.
Population: 8 336 817 in 2022.
The sum 1234567890 is a big number.
ISBN 978-3-16-148410-0 is a book.
Timestamp 1700000000000 in ms, 1700000000 in s.
Coordinates 52.5200066, 13.4049540 point to Berlin.
2023-2024 was the season, 1999-2000 before.
pi is 3.14159265358979 and e 2.718281828.
Ticket #4155550132 and case 0171-22.
Room 101, floor 12, seat 34A.
Add 200 300 400 and 500.
UUID 550e8400-e29b-41d4-a716-446655440000 stays.
The EAN 4006381333931 is on the box.
From 100 000 to 250 000 units in Q3 2024.
Call it 12345 or 2024.
PLZ 10115 Berlin, 75008 Paris.
ratio 0.0312345678 exactly
Pay with ⟦c:4111 1111 1111 1111⟧ please.
Card ⟦c:5555555555554444⟧ expires 12/27.
Amex ⟦c:3782 822463 10005⟧ declined.
Meine Karte: ⟦c:4012-8888-8888-1881⟧.
Carte ⟦c:6011 1111 1111 1117⟧ refusée
⟦c:30569309025904⟧ is a Diners card
JCB ⟦c:3530111333300000⟧ works.
tarjeta ⟦c:4242 4242 4242 4242⟧ caducada
Mastercard 2-series ⟦c:2223 0031 2200 3222⟧.
IBAN ⟦c:DE89 3704 0044 0532 0130 00⟧ bitte.
Virement sur ⟦c:FR14 2004 1010 0505 0001 3M02 606⟧ merci
konto ⟦c:PL61109010140000071219812874⟧
Send to ⟦c:GB29 NWBK 6016 1331 9268 19⟧ today
Rekening ⟦c:NL91ABNA0417164300⟧ graag.
cuenta ⟦c:ES91 2100 0418 4502 0005 1332⟧
Conto: ⟦c:IT60 X054 2811 1010 0000 0123 456⟧
Visa:⟦c:4000056655665556⟧;cvc 123
UnionPay ⟦c:6200000000000005⟧ ok
Not a card: 4111 1111 1111 1112.
Serial 1234567890123456 on the back.
The hash has 9999999999999999 in it.
Number 4111-1111-1111 is short.
GB00 NWBK 6016 1331 9268 19 fails its checksum.
DE12 is a road, A1 another.
Tracking 9400111899223100001234 is on its way.
Sum: 5555 5555 5555 5555 units.
0000 0000 0000 0000 is a blank.
IMEI 490154203237518 of the device.
Order 5425233430109904 was never a card.. is it? ⟦c:5425233430109903⟧ is.
api key: ⟦k:sk-¦proj-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z⟧
export OPENAI_API_KEY=⟦k:sk-¦a1B2c3D4e5F6g7H8i9J0k1L2⟧
token ⟦k:ghp_¦16C7e42F292c6912E7710c838347Ae178B4a⟧ leaked
AWS key ⟦k:AKI¦AIOSFODNN7EXAMPLE⟧ in the log
Authorization: Bearer ⟦k:9f8e7d6c5b4a39281706f5e4d3c2b1a0⟧
jwt ⟦k:eyJhbGciOiJIUzI1NiJ9¦.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlX29mX3Rlc3Q⟧ expired
password: ⟦k:Hunter2!x⟧
The password is ⟦k:tr0ub4dor&3⟧ for now.
Mein Passwort ist ⟦k:Gehe1m!99⟧.
mot de passe : ⟦k:S3cr3t-Mot⟧
contraseña: ⟦k:Cl4ve$2024⟧
slack ⟦k:xoxb-¦123456789012-abcdefGHIJKL⟧
stripe ⟦k:sk_¦live_4eC39HqLyjWDarjtT1zdp7dc⟧
postgres://app:⟦k:pa55w0rd⟧@db.example/main
our key ⟦k:wp_¦abcdefgh01234567_0123456789abcdefghijklmnopqrstuvwxyz0123_0abcdef⟧ please
google ⟦k:AIza¦SyA1234567890abcdefghijklmnopqrstuv⟧
client_secret = "⟦k:f3a9c1d27b6e4f80a5d1⟧"
npm ⟦k:npm_¦a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8⟧ in .npmrc
gitlab ⟦k:glpat-¦A1b2C3d4E5f6G7h8I9j0⟧ works
hf ⟦k:hf_¦AbCdEfGhIjKlMnOpQrStUvWxYz0123456789⟧
{"apiKey":"⟦k:k3y9x8w7v6u5t4s3r2q1⟧","region":"eu"}
SECRET=⟦k:5e884898da28047151d0e56f8dc62927⟧
пароль: ⟦k:Qwerty123!⟧
密码：⟦k:Mima2024abc⟧
anthropic ⟦k:sk-¦ant-api03-AbCdEfGhIjKlMnOpQrStUvWx⟧ is revoked
senha: ⟦k:B4nana#77⟧
The password is required for every user.
Forgot your password? Reset it here.
A token is a piece of a word.
password: ********
API key: see the documentation
Set the secret in the settings page.
The commit 9fceb02d0ae598e95dc970b74767f19372d61af8 broke it.
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
The bearer of bad news came at noon.
api_key = os.environ["KEY"]
token: string; secret: boolean
const password = getPassword();
The secret is patience, the key is practice.
Mein Passwort ist sicher, sagte er.
sk-learn and ghp files are not keys.
Token usage: 12345 tokens in total.
password = \${DB_PASSWORD}
skeleton sk-8 skis, pk_test without more
The access key was lost at sea.
secret: https://example.org/secrets
My name is ⟦n:John Carpenter⟧ and I need help.
Dear ⟦n:Maria⟧, thank you for your letter.
Hi ⟦n:Tomasz⟧,
Best regards,⏎⟦n:Alice Munroe⟧
Mr. ⟦n:Henderson⟧ called twice.
Dr. ⟦n:Okonkwo⟧ will see you now.
I spoke with ⟦n:Sarah Connor⟧ about it.
Ich heiße ⟦n:Jürgen Möller⟧.
Sehr geehrte Frau Dr. ⟦n:Weber⟧, vielen Dank.
Mit freundlichen Grüßen⏎⟦n:Sabine Krüger⟧
Herr ⟦n:Yılmaz⟧ war gestern hier.
Je m'appelle ⟦n:Élodie Fontaine⟧.
Bonjour ⟦n:Céline⟧,
Cordialement,⏎⟦n:Mathieu Lefèvre⟧
Monsieur ⟦n:Dubois⟧ est absent.
Me llamo ⟦n:Lucía Fernández⟧ y vivo aquí.
Estimado ⟦n:Carlos⟧:
El señor es amigo de ⟦n:Javier Morales⟧.
Mi chiamo ⟦n:Giulia Rossi⟧.
Ciao ⟦n:Marco⟧, come va?
Meu nome é ⟦n:João Pereira⟧.
Ik heet ⟦n:Sanne de Vries⟧.
Beste ⟦n:Pieter⟧,
Jag heter ⟦n:Linnea Bergström⟧.
Nazywam się ⟦n:Katarzyna Nowak⟧.
Меня зовут ⟦n:Дмитрий Соколов⟧.
Ask ⟦n:Priya Raman⟧ or ⟦n:Wei Zhang⟧ in finance.
The report by ⟦n:Michael O'Brien⟧ is late.
⟦n:Fatima⟧ wrote the first draft.
We hired ⟦n:Hiroshi Tanaka⟧ last year.
Please forward this to ⟦n:Jean-Pierre Martin⟧.
Call me ⟦n:Ishmael⟧.
Patient: ⟦n:Olivia Hart⟧, room 4
This is ⟦n:Emma Stone⟧ speaking.
Thanks,⏎⟦n:Bob⟧
It was ⟦n:Will Harper⟧ who said so.
Nobody told ⟦n:Grace Mbeki⟧.
The nurse saw ⟦n:Oluwaseun Adeyemi⟧ at nine.
Kunde: ⟦n:Friedrich Baumann⟧
Yesterday ⟦n:Nguyen Van Anh⟧ left the company.
Fragen Sie Herrn ⟦n:Lindqvist⟧ danach.
⟦n:Ahmed⟧ and ⟦n:Ingrid⟧ share a desk.
My manager, ⟦n:Thandiwe⟧, agreed.
The contract was signed by ⟦n:Robert Fischer⟧.
Gracias, ⟦n:Pedro⟧!
I'm ⟦n:Daniel⟧ from the second floor.
Will the train arrive in May or in June?
The Victoria line runs through Charlotte Street.
Dear all, the office is closed on Monday.
Hello World is the first program.
Dear Sir or Madam, I am writing to complain.
Sehr geehrte Damen und Herren, anbei die Rechnung.
Paris and Berlin are capitals; so is Rome.
The Grant was approved, and Mark the date.
Hi there, how are you?
Bonjour à tous, voici le plan.
New York, San Francisco and Los Angeles are far.
Microsoft Azure and Google Cloud raised prices.
The Treaty of Versailles was signed in 1919.
JavaScript and TypeScript compile to the same thing.
Best regards and see you soon.
Die Bundesrepublik Deutschland hat sechzehn Länder.
Der Hund lief über die Straße nach Hause.
Ich bin Entwickler und wohne in Hamburg.
Hope springs eternal, and Faith moves mountains.
I am Happy to help, said the Bot.
La Tour Eiffel est à Paris.
Rose petals and Amber glass sell well.
This is Not what I meant.
The Red Cross opened a School in Summer Hill.
Liebe Kolleginnen und Kollegen, morgen ist frei.
Use React with Redux, then Jest and Vite.
Estimados clientes, cerramos el lunes.
My name is on the list already.
Jordan borders Syria; Georgia borders Turkey.
Hey Siri, what time is it?
South Park and Central Park are different things.
Prof is short for professor.
The Doctor prescribed rest.
Austin, Dallas and Houston are in Texas.
Could you loop in ⟦n:Rebecca Lindholm⟧ on this thread?
Hey ⟦n:Kofi⟧, are you free at three?
The invoice was approved by Mrs. ⟦n:Pattinson⟧ yesterday.
⟦n:Yusuf Demir⟧ ve ekibi geldi.
Our plumber is called ⟦n:Stanislav⟧.
Please meet our new colleague, ⟦n:Chidi Eze⟧.
Il dottor ⟦n:Bianchi⟧ riceve il lunedì.
Chère ⟦n:Margaux⟧, merci pour ton message.
Ich bin ⟦n:Torsten⟧ und brauche Hilfe.
Viele Grüße⏎⟦n:Anneliese Vogt⟧
Sincerely,⏎Dr. ⟦n:Harriet Oyelaran⟧
Saludos,⏎⟦n:Ramiro⟧
I met ⟦n:Xiuying⟧ at the station.
⟦n:Bartholomew Finch⟧ disagrees with the plan.
On Tuesday ⟦n:Sofia⟧ and her brother ⟦n:Leon⟧ travel to Oslo.
Frau ⟦n:Schulze-Delitzsch⟧ hat angerufen.
M. ⟦n:Lambert⟧ est arrivé.
Customer: ⟦n:Naledi Khumalo⟧
Meu chefe, ⟦n:Rui Costa⟧, autorizou.
Dear Ms ⟦n:Abernathy⟧,
Ring me on ⟦p:07700 900123⟧ after six.
Phone: ⟦p:+353 1 496 0000⟧
Kontakt: ⟦p:+48 22 123 45 67⟧
(⟦p:+1 (303) 555-0148⟧)
Tel ⟦p:0221-4710-123⟧ Köln
Mobile ⟦p:0412 345 678⟧ (Sydney)
Ligar ⟦p:21 98765-4321⟧ amanhã
Mein Fax: ⟦p:0049 89 1234567⟧
Call ⟦p:(044) 668 18 00⟧.
phone ⟦p:9876543210⟧
tel:⟦p:+4512345678⟧
Bitte an ⟦e:kontakt@firma-muster.example⟧ senden.
e-mail=⟦e:x_1@y.example.com⟧;
⟦e:o'hara.p@example.ie⟧ replied.
cc ⟦e:Team.Lead@Example.ORG⟧, ⟦e:2nd@example.de⟧
DATABASE_URL=mysql://root:⟦k:Zx81!qq⟧@10.0.0.5/db
x-api-key: ⟦k:a8f5f167f44f4964e6c998dee827110c⟧
pwd=⟦k:Summer2024!⟧
my password is ⟦k:xK9#mPq2⟧
github_token: ⟦k:gho_¦0123456789abcdefghijABCDEFGHIJ012345⟧
AWS_SECRET_ACCESS_KEY=⟦k:wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY⟧
IBAN: ⟦c:AT61 1904 3002 3457 3201⟧
Visa ⟦c:4539 1488 0343 6467⟧
CH ⟦c:CH93 0076 2011 6238 5295 7⟧ danke
The Amazon River is long and the Nile longer.
Happy New Year to Everyone at Acme Corporation!
Kubernetes Ingress Controller returned 502.
Die Deutsche Bahn ist wieder zu spät.
Monsieur le Président ouvre la séance.
The Lake District and Windsor Castle are nice.
Version 2.4.1 (build 20240115.3) is out.
Between 1914-1918 and 1939-1945.
Total: 12,345,678.90 USD; ref 2024/00123/45.
Row 0001 0002 0003 0004 of the table.
GET /users/12345/orders?token=required HTTP/1.1
The secret to success: hard work.
Password reset link expires in 24 hours.
commit 1a2b3c4d, tag v1.2.3, PR 4567
Madame Bovary is a novel; Hamlet is a play.
Visit Santa Barbara, San Jose and St. Louis.
The Alexander Technique and the Gaussian distribution.
He sailed on the Queen Mary to New Zealand.
`;

export const CODES = { e: "email", p: "phone", c: "card", k: "key", n: "name" } as const;

/** One line without its marks, and what is to be found in it. */
export interface Labelled {
  text: string;
  spans: { kind: (typeof CODES)[keyof typeof CODES]; start: number; end: number }[];
}

export const corpus: readonly Labelled[] = LINES.trim()
  .split("\n")
  .map((line) => {
    const spans: Labelled["spans"] = [];
    let text = "";
    for (const part of line
      .replaceAll("¦", "")
      .replaceAll("⏎", "\n")
      .split(/(⟦[epckn]:[^⟧]*⟧)/)) {
      const marked = /^⟦([epckn]):([^⟧]*)⟧$/.exec(part);
      const value = marked?.[2] ?? part;
      if (marked)
        spans.push({
          kind: CODES[marked[1] as keyof typeof CODES],
          start: text.length,
          end: text.length + value.length,
        });
      text += value;
    }
    return { text, spans };
  });
